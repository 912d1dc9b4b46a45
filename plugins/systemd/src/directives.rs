//! Every directive that a service may have, and what becomes of it.
//!
//! Source: systemd.directives(7); `systemd --dump-configuration-items` of version 252, and what
//! later versions added.

/// What becomes of a directive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// It goes into the image.
    Supported,
    /// It is lost, and what runs may differ; why.
    Lost(&'static str),
    /// It is about the service manager, or for the container runtime to decide.
    Harmless,
    /// systemd does not know it either.
    Unknown,
}

/// What becomes of a directive with this value.
pub fn meaning(section: &str, key: &str, value: &str) -> Meaning {
    let has = |list: &str| list.split(' ').any(|name| name == key);
    match section {
        "Unit" if matches!(key, "Description" | "Documentation") => Meaning::Supported,
        "Unit" if has(UNIT) => Meaning::Harmless,
        "Install" if has(INSTALL) => Meaning::Harmless,
        "Service" => service(key, value, has),
        _ => Meaning::Unknown,
    }
}

fn service(key: &str, value: &str, has: impl Fn(&str) -> bool) -> Meaning {
    if let Some((_, why)) = LOST.iter().find(|(names, _)| has(names)) {
        return Meaning::Lost(why);
    }
    match key {
        // A file as standard input matters, the journal as output does not.
        "StandardInput" if !matches!(value, "null" | "") => Meaning::Lost(STREAM),
        "StandardOutput" | "StandardError" if value.contains(':') => Meaning::Lost(STREAM),
        "StandardInput" | "StandardOutput" | "StandardError" => Meaning::Harmless,
        _ if has(SUPPORTED) => Meaning::Supported,
        _ if has(HARMLESS) => Meaning::Harmless,
        _ => Meaning::Unknown,
    }
}

const STREAM: &str = "standard streams are the container's";

/// Whether a later value of what is lost takes the place of an earlier one.
pub fn is_scalar(key: &str) -> bool {
    SCALAR.split(' ').any(|name| name == key)
}

/// Lost ones with one value.
const SCALAR: &str = "\
    IPCNamespacePath NetworkNamespacePath PAMName RootDirectory RootEphemeral RootImage \
    StandardError StandardInput StandardOutput TTYPath UMask USBFunctionDescriptors \
    USBFunctionStrings";

/// Lost, and why it matters.
const LOST: &[(&str, &str)] = &[
    (
        "ExecCondition ExecStartPre ExecStartPost ExecStop ExecStopPost",
        "no command runs before or after that of `ExecStart=`",
    ),
    ("PAMName", "there is no PAM session"),
    ("RootDirectory RootImage RootEphemeral", "the image is the root directory"),
    (
        "MountImages ExtensionImages ExtensionDirectories BindPaths BindReadOnlyPaths TemporaryFileSystem",
        "mounts are given when the container is started",
    ),
    (
        "LoadCredential LoadCredentialEncrypted SetCredential SetCredentialEncrypted ImportCredential",
        "there are no credentials",
    ),
    ("AmbientCapabilities", "capabilities are given when the container is started"),
    ("SupplementaryGroups", "an image has one group"),
    ("PassEnvironment", "variables are passed when the container is started"),
    ("ExecSearchPath", "`PATH` of the image holds"),
    ("UMask", "the runtime's umask holds"),
    ("StandardInputText StandardInputData", "standard input is empty"),
    ("TTYPath", "a terminal is given when the container is started"),
    ("NetworkNamespacePath IPCNamespacePath", "namespaces are the runtime's"),
    ("OpenFile", "no file is passed"),
    ("USBFunctionDescriptors USBFunctionStrings", "there is no USB gadget"),
];

/// Of `[Service]`.
const SUPPORTED: &str = "\
    BusName CacheDirectory CacheDirectoryMode ConfigurationDirectory ConfigurationDirectoryMode \
    DynamicUser Environment EnvironmentFile ExecStart Group KillSignal LogsDirectory \
    LogsDirectoryMode RuntimeDirectory RuntimeDirectoryMode Sockets StateDirectory \
    StateDirectoryMode Type UnsetEnvironment User WorkingDirectory";

/// Of `[Service]`.
const HARMLESS: &str = "\
    AllowedCPUs AllowedMemoryNodes AppArmorProfile BPFProgram BlockIOAccounting \
    BlockIODeviceWeight BlockIOReadBandwidth BlockIOWeight BlockIOWriteBandwidth CPUAccounting \
    CPUAffinity CPUQuota CPUQuotaPeriodSec CPUSchedulingPolicy CPUSchedulingPriority \
    CPUSchedulingResetOnFork CPUShares CPUWeight CacheDirectoryAccounting CacheDirectoryQuota \
    CapabilityBoundingSet CoredumpFilter CoredumpReceive DefaultMemoryLow DefaultMemoryMin \
    DefaultStartupMemoryLow Delegate DelegateSubgroup DeviceAllow DevicePolicy \
    DisableControllers ExecPaths ExecReload ExecReloadPost ExitType \
    FailureAction FileDescriptorStoreMax FileDescriptorStorePreserve FinalKillSignal \
    GuessMainPID IOAccounting IODeviceLatencyTargetSec IODeviceWeight IOReadBandwidthMax \
    IOReadIOPSMax IOSchedulingClass IOSchedulingPriority IOWeight IOWriteBandwidthMax \
    IOWriteIOPSMax IPAccounting IPAddressAllow IPAddressDeny IPEgressFilterPath \
    IPIngressFilterPath IgnoreSIGPIPE InaccessibleDirectories InaccessiblePaths KeyringMode \
    KillMode LimitAS LimitCORE LimitCPU LimitDATA LimitFSIZE LimitLOCKS LimitMEMLOCK \
    LimitMSGQUEUE LimitNICE LimitNOFILE LimitNPROC LimitRSS LimitRTPRIO LimitRTTIME \
    LimitSIGPENDING LimitSTACK LockPersonality LogExtraFields LogLevelMax LogNamespace \
    LogRateLimitBurst LogRateLimitIntervalSec LogsDirectoryAccounting LogsDirectoryQuota \
    ManagedOOMMemoryPressure ManagedOOMMemoryPressureLimit ManagedOOMPreference ManagedOOMSwap \
    MemoryAccounting MemoryDenyWriteExecute MemoryHigh MemoryKSM MemoryLimit MemoryLow MemoryMax \
    MemoryMin MemoryPressureThresholdSec MemoryPressureWatch MemorySwapMax MemoryZSwapMax \
    MemoryZSwapWriteback MountAPIVFS MountFlags NFTSet NUMAMask NUMAPolicy Nice NoExecPaths \
    NoNewPrivileges NonBlocking NotifyAccess OOMPolicy OOMScoreAdjust PIDFile \
    PassFileDescriptorsToExec PermissionsStartOnly Personality PrivateDevices PrivateIPC \
    PrivateMounts PrivateNetwork PrivatePIDs PrivateTmp PrivateUsers ProcSubset ProtectClock \
    ProtectControlGroups ProtectHome ProtectHostname ProtectKernelLogs ProtectKernelModules \
    ProtectKernelTunables ProtectProc ProtectSystem ReadOnlyDirectories ReadOnlyPaths \
    ReadWriteDirectories ReadWritePaths RebootArgument ReloadSignal RemainAfterExit RemoveIPC \
    Restart RestartForceExitStatus RestartKillSignal RestartMaxDelaySec RestartMode \
    RestartPreventExitStatus RestartSec RestartSteps RestrictAddressFamilies RestrictFileSystems \
    RestrictNamespaces RestrictNetworkInterfaces RestrictRealtime RestrictSUIDSGID \
    RootDirectoryStartOnly RootHash RootHashSignature RootImageOptions RootVerity \
    RuntimeDirectoryPreserve RuntimeMaxSec RuntimeRandomizedExtraSec SELinuxContext SecureBits \
    SendSIGHUP SendSIGKILL SetLoginEnvironment Slice SmackProcessLabel SocketBindAllow \
    SocketBindDeny StartLimitAction StartLimitBurst StartLimitInterval StartLimitIntervalSec \
    StartupAllowedCPUs StartupAllowedMemoryNodes StartupBlockIOWeight StartupCPUShares \
    StartupCPUWeight StartupIOWeight StartupMemoryHigh StartupMemoryLow StartupMemoryMax \
    StartupMemorySwapMax StartupMemoryZSwapMax StateDirectoryAccounting StateDirectoryQuota \
    SuccessExitStatus SurviveFinalKillSignal SyslogFacility SyslogIdentifier SyslogLevel \
    SyslogLevelPrefix SystemCallArchitectures SystemCallErrorNumber SystemCallFilter \
    SystemCallLog TTYColumns TTYReset TTYRows TTYVHangup TTYVTDisallocate TasksAccounting \
    TasksMax TimeoutAbortSec TimeoutCleanSec TimeoutSec TimeoutStartFailureMode TimeoutStartSec \
    TimeoutStopFailureMode TimeoutStopSec TimerSlackNSec UtmpIdentifier UtmpMode WatchdogSec \
    WatchdogSignal";

/// Of `[Unit]`.
const UNIT: &str = "\
    After AllowIsolate AssertACPower AssertArchitecture AssertCPUFeature AssertCPUPressure \
    AssertCPUs AssertCapability AssertControlGroupController AssertCredential \
    AssertDirectoryNotEmpty AssertEnvironment AssertFileIsExecutable AssertFileNotEmpty \
    AssertFirstBoot AssertGroup AssertHost AssertIOPressure AssertKernelCommandLine \
    AssertKernelModuleLoaded AssertKernelVersion AssertMemory AssertMemoryPressure \
    AssertNeedsUpdate AssertOSRelease AssertPathExists AssertPathExistsGlob \
    AssertPathIsDirectory AssertPathIsEncrypted AssertPathIsMountPoint AssertPathIsReadWrite \
    AssertPathIsSocket AssertPathIsSymbolicLink AssertSecurity AssertUser AssertVersion \
    AssertVirtualization Before BindTo BindsTo CollectMode ConditionACPower \
    ConditionArchitecture ConditionCPUFeature ConditionCPUPressure ConditionCPUs \
    ConditionCapability ConditionControlGroupController ConditionCredential \
    ConditionDirectoryNotEmpty ConditionEnvironment ConditionFileIsExecutable \
    ConditionFileNotEmpty ConditionFirmware ConditionFirstBoot ConditionGroup ConditionHost \
    ConditionIOPressure ConditionKernelCommandLine ConditionKernelModuleLoaded \
    ConditionKernelVersion ConditionMemory ConditionMemoryPressure ConditionNeedsUpdate \
    ConditionOSRelease ConditionPathExists ConditionPathExistsGlob ConditionPathIsDirectory \
    ConditionPathIsEncrypted ConditionPathIsMountPoint ConditionPathIsReadWrite \
    ConditionPathIsSocket ConditionPathIsSymbolicLink ConditionSecurity ConditionUser \
    ConditionVersion ConditionVirtualization Conflicts DefaultDependencies FailureAction \
    FailureActionExitStatus IgnoreOnIsolate JobRunningTimeoutSec JobTimeoutAction \
    JobTimeoutRebootArgument JobTimeoutSec JoinsNamespaceOf OnFailure OnFailureIsolate \
    OnFailureJobMode OnSuccess OnSuccessJobMode PartOf PropagateReloadFrom PropagateReloadTo \
    PropagatesReloadTo PropagatesStopTo RebootArgument RefuseManualStart RefuseManualStop \
    ReloadPropagatedFrom Requires RequiresMountsFor RequiresOverridable Requisite \
    RequisiteOverridable SourcePath StartLimitAction StartLimitBurst StartLimitInterval \
    StartLimitIntervalSec StopPropagatedFrom StopWhenUnneeded SuccessAction \
    SuccessActionExitStatus SurviveFinalKillSignal Upholds Wants WantsMountsFor";

/// Of `[Install]`.
const INSTALL: &str = "\
    Alias Also DefaultInstance RequiredBy UpheldBy WantedBy";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meanings() {
        assert_eq!(meaning("Service", "User", "x"), Meaning::Supported);
        assert_eq!(meaning("Service", "Restart", "x"), Meaning::Harmless);
        assert_eq!(meaning("Service", "StandardOutput", "journal"), Meaning::Harmless);
        assert!(matches!(meaning("Service", "StandardOutput", "file:/x"), Meaning::Lost(_)));
        assert!(matches!(meaning("Service", "ExecStartPre", "x"), Meaning::Lost(_)));
        assert_eq!(meaning("Service", "After", "x"), Meaning::Unknown);
        assert_eq!(meaning("Unit", "After", "x"), Meaning::Harmless);
    }
}
