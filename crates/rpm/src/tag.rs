//! Header tags by rpm's own names.
//!
//! Source: rpm's `include/rpm/rpmtag.h` and `docs/manual/tags.md`. Only what this crate and its
//! users read or write is listed.

use std::fmt;

/// The number of a header tag.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(pub u32);

/// Tags of the signature header. Those named `SIG_` have numbers that mean something else in the main
/// header.
#[allow(missing_docs, reason = "the names are rpm's own")]
impl Tag {
    pub const HEADERSIGNATURES: Self = Self(62);
    pub const HEADERIMMUTABLE: Self = Self(63);
    pub const HEADERI18NTABLE: Self = Self(100);
    pub const DSAHEADER: Self = Self(267);
    pub const RSAHEADER: Self = Self(268);
    pub const SHA1HEADER: Self = Self(269);
    pub const LONGSIGSIZE: Self = Self(270);
    pub const LONGARCHIVESIZE: Self = Self(271);
    pub const SHA256HEADER: Self = Self(273);
    pub const SIG_FILESIGNATURES: Self = Self(274);
    pub const OPENPGP: Self = Self(278);
    pub const SHA3_256HEADER: Self = Self(279);
    pub const SIG_SIZE: Self = Self(1000);
    pub const SIG_PGP: Self = Self(1002);
    pub const SIG_MD5: Self = Self(1004);
    pub const SIG_GPG: Self = Self(1005);
    pub const SIG_PAYLOADSIZE: Self = Self(1007);
    pub const SIG_RESERVEDSPACE: Self = Self(1008);
}

/// Tags of the main header.
#[allow(missing_docs, reason = "the names are rpm's own")]
impl Tag {
    pub const NAME: Self = Self(1000);
    pub const VERSION: Self = Self(1001);
    pub const RELEASE: Self = Self(1002);
    pub const EPOCH: Self = Self(1003);
    pub const SUMMARY: Self = Self(1004);
    pub const DESCRIPTION: Self = Self(1005);
    pub const BUILDTIME: Self = Self(1006);
    pub const BUILDHOST: Self = Self(1007);
    pub const SIZE: Self = Self(1009);
    pub const VENDOR: Self = Self(1011);
    pub const LICENSE: Self = Self(1014);
    pub const PACKAGER: Self = Self(1015);
    pub const GROUP: Self = Self(1016);
    pub const URL: Self = Self(1020);
    pub const OS: Self = Self(1021);
    pub const ARCH: Self = Self(1022);
    pub const PREIN: Self = Self(1023);
    pub const POSTIN: Self = Self(1024);
    pub const PREUN: Self = Self(1025);
    pub const POSTUN: Self = Self(1026);
    pub const OLDFILENAMES: Self = Self(1027);
    pub const FILESIZES: Self = Self(1028);
    pub const FILESTATES: Self = Self(1029);
    pub const FILEMODES: Self = Self(1030);
    pub const FILERDEVS: Self = Self(1033);
    pub const FILEMTIMES: Self = Self(1034);
    pub const FILEDIGESTS: Self = Self(1035);
    pub const FILELINKTOS: Self = Self(1036);
    pub const FILEFLAGS: Self = Self(1037);
    pub const FILEUSERNAME: Self = Self(1039);
    pub const FILEGROUPNAME: Self = Self(1040);
    pub const SOURCERPM: Self = Self(1044);
    pub const FILEVERIFYFLAGS: Self = Self(1045);
    pub const ARCHIVESIZE: Self = Self(1046);
    pub const PROVIDENAME: Self = Self(1047);
    pub const REQUIREFLAGS: Self = Self(1048);
    pub const REQUIRENAME: Self = Self(1049);
    pub const REQUIREVERSION: Self = Self(1050);
    pub const CONFLICTFLAGS: Self = Self(1053);
    pub const CONFLICTNAME: Self = Self(1054);
    pub const CONFLICTVERSION: Self = Self(1055);
    pub const RPMVERSION: Self = Self(1064);
    pub const TRIGGERSCRIPTS: Self = Self(1065);
    pub const TRIGGERNAME: Self = Self(1066);
    pub const TRIGGERVERSION: Self = Self(1067);
    pub const TRIGGERFLAGS: Self = Self(1068);
    pub const TRIGGERINDEX: Self = Self(1069);
    pub const VERIFYSCRIPT: Self = Self(1079);
    pub const CHANGELOGTIME: Self = Self(1080);
    pub const CHANGELOGNAME: Self = Self(1081);
    pub const CHANGELOGTEXT: Self = Self(1082);
    pub const PREINPROG: Self = Self(1085);
    pub const POSTINPROG: Self = Self(1086);
    pub const PREUNPROG: Self = Self(1087);
    pub const POSTUNPROG: Self = Self(1088);
    pub const OBSOLETENAME: Self = Self(1090);
    pub const VERIFYSCRIPTPROG: Self = Self(1091);
    pub const TRIGGERSCRIPTPROG: Self = Self(1092);
    pub const FILEDEVICES: Self = Self(1095);
    pub const FILEINODES: Self = Self(1096);
    pub const FILELANGS: Self = Self(1097);
    pub const SOURCEPACKAGE: Self = Self(1106);
    pub const PROVIDEFLAGS: Self = Self(1112);
    pub const PROVIDEVERSION: Self = Self(1113);
    pub const OBSOLETEFLAGS: Self = Self(1114);
    pub const OBSOLETEVERSION: Self = Self(1115);
    pub const DIRINDEXES: Self = Self(1116);
    pub const BASENAMES: Self = Self(1117);
    pub const DIRNAMES: Self = Self(1118);
    pub const OPTFLAGS: Self = Self(1122);
    pub const PAYLOADFORMAT: Self = Self(1124);
    pub const PAYLOADCOMPRESSOR: Self = Self(1125);
    pub const PAYLOADFLAGS: Self = Self(1126);
    pub const INSTALLCOLOR: Self = Self(1127);
    pub const INSTALLTID: Self = Self(1128);
    pub const FILECOLORS: Self = Self(1140);
    pub const PRETRANS: Self = Self(1151);
    pub const POSTTRANS: Self = Self(1152);
    pub const PRETRANSPROG: Self = Self(1153);
    pub const POSTTRANSPROG: Self = Self(1154);
    pub const LONGFILESIZES: Self = Self(5008);
    pub const LONGSIZE: Self = Self(5009);
    pub const FILECAPS: Self = Self(5010);
    pub const FILEDIGESTALGO: Self = Self(5011);
    pub const PREINFLAGS: Self = Self(5020);
    pub const POSTINFLAGS: Self = Self(5021);
    pub const PREUNFLAGS: Self = Self(5022);
    pub const POSTUNFLAGS: Self = Self(5023);
    pub const PRETRANSFLAGS: Self = Self(5024);
    pub const POSTTRANSFLAGS: Self = Self(5025);
    pub const VERIFYSCRIPTFLAGS: Self = Self(5026);
    pub const TRIGGERSCRIPTFLAGS: Self = Self(5027);
    pub const RECOMMENDNAME: Self = Self(5046);
    pub const RECOMMENDVERSION: Self = Self(5047);
    pub const RECOMMENDFLAGS: Self = Self(5048);
    pub const SUGGESTNAME: Self = Self(5049);
    pub const SUGGESTVERSION: Self = Self(5050);
    pub const SUGGESTFLAGS: Self = Self(5051);
    pub const SUPPLEMENTNAME: Self = Self(5052);
    pub const SUPPLEMENTVERSION: Self = Self(5053);
    pub const SUPPLEMENTFLAGS: Self = Self(5054);
    pub const ENHANCENAME: Self = Self(5055);
    pub const ENHANCEVERSION: Self = Self(5056);
    pub const ENHANCEFLAGS: Self = Self(5057);
    pub const ENCODING: Self = Self(5062);
    pub const FILETRIGGERSCRIPTS: Self = Self(5066);
    pub const FILETRIGGERSCRIPTPROG: Self = Self(5067);
    pub const FILETRIGGERSCRIPTFLAGS: Self = Self(5068);
    pub const FILETRIGGERNAME: Self = Self(5069);
    pub const FILETRIGGERINDEX: Self = Self(5070);
    pub const FILETRIGGERVERSION: Self = Self(5071);
    pub const FILETRIGGERFLAGS: Self = Self(5072);
    pub const TRANSFILETRIGGERSCRIPTS: Self = Self(5076);
    pub const TRANSFILETRIGGERSCRIPTPROG: Self = Self(5077);
    pub const TRANSFILETRIGGERSCRIPTFLAGS: Self = Self(5078);
    pub const TRANSFILETRIGGERNAME: Self = Self(5079);
    pub const TRANSFILETRIGGERINDEX: Self = Self(5080);
    pub const TRANSFILETRIGGERVERSION: Self = Self(5081);
    pub const TRANSFILETRIGGERFLAGS: Self = Self(5082);
    pub const FILETRIGGERPRIORITIES: Self = Self(5084);
    pub const TRANSFILETRIGGERPRIORITIES: Self = Self(5085);
    pub const FILESIGNATURES: Self = Self(5090);
    pub const PAYLOADDIGEST: Self = Self(5092);
    pub const PAYLOADDIGESTALGO: Self = Self(5093);
    pub const PAYLOADDIGESTALT: Self = Self(5097);
    pub const PREUNTRANS: Self = Self(5103);
    pub const POSTUNTRANS: Self = Self(5104);
    pub const PREUNTRANSPROG: Self = Self(5105);
    pub const POSTUNTRANSPROG: Self = Self(5106);
    pub const PREUNTRANSFLAGS: Self = Self(5107);
    pub const POSTUNTRANSFLAGS: Self = Self(5108);
    pub const RPMFORMAT: Self = Self(5114);
    pub const PAYLOADSHA512: Self = Self(5121);
    pub const PAYLOADSHA512ALT: Self = Self(5122);
    pub const PAYLOADSHA3_256: Self = Self(5123);
    pub const PAYLOADSHA3_256ALT: Self = Self(5124);
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
