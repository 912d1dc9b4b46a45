//! Units that were written for their odd corners.

/// Units with odd corners: file → text.
pub const ODD: &[(&str, &str)] = &[
    (
        "lib/words.service",
        "[Service]\nDescription=no\nEnvironment=A=1 \"B=2 3\" 1X=3 D=\"a b\" E F='x\\ty'\n\
         Environment=A=9\n\
         ExecStart=/bin//foo it'x' \"a \\\n   b\" c\"d\"e \\x41\\u00e9 \\t.\\s\\q \\; \";\" a;b\n",
    ),
    (
        "lib/joined.service",
        "[Unit]\nDescription=  a \\\n   b  \"c \\\n# comment\n\t\td\"  e\n[Service]\n\
         ExecStart=/bin/foo \\\n# comment \\\n; another\n  bar\\\n\n[Install]\nAlias=x.service",
    ),
    (
        "lib/foo-bar\\x2db@.service",
        "[Unit]\nDescription=%n|%N|%p|%P|%i|%I|%j|%J|%f|%t|%S|%C|%L|%E|%T|%V|%%|%- 5%\n[Service]\n\
         ExecStart=/bin/%p %n %N %p %P %i %I %j %J %f %t %S %C %L %E %T %V %% %- %a\n\
         User=www-data\nGroup=%j\nWorkingDirectory=-/a//b/./%J/\nKillSignal=RTMIN+3\nType=notify\n\
         RuntimeDirectory=a/b e/f\nStateDirectory=x y\nStateDirectoryMode=750\n\
         EnvironmentFile=-/etc//x\nUnsetEnvironment=A B=c\nConfigurationDirectory=../x zz\n",
    ),
    (
        "lib/reset.service",
        "[Service]\nType=oneshot\nExecStart=/bin/foo\nExecStart=\n\
         ExecStart=/bin/a ; /bin/b c;d \";\" e;\nExecStart=@/bin/x y -z\nExecStart=!!/x\n\
         ExecStart=-/bin/nothing/\nUser=a\nUser=\nGroup=12\nKillSignal=9\nKillSignal=NONSENSE\n\
         WorkingDirectory=-x\nStateDirectory=a\nStateDirectory=\nStateDirectory=b/c b/c d/\n\
         Environment=A=1\nEnvironment=\nEnvironment=B=2\nType=nonsense\n",
    ),
    (
        "lib/sections.service",
        "junk\n[Service]\nExecStart=foo $A ${B} $$\nWorkingDirectory=~\n ;  comment\n[X-Foo]\nA=b\n\
         [Bar]\nx=y\n[Service]\nFoo=1\nX-Foo=1\nnoequal\n = x\nGroup = \nType = idle\n",
    ),
    ("lib/bus.service", "[Service]\nBusName=a.b\nExecStart=/bin/foo %\n"),
    ("lib/stop.service", "[Service]\nExecStop=/bin/foo\n"),
    ("lib/dynamic.service", "[Service]\nExecStart=/x\nDynamicUser=yes\n"),
    ("lib/dynamic-user.service", "[Service]\nExecStart=/x\nDynamicUser=1\nUser=u\n"),
    ("lib/open.service", "[Service]\nExecStart=/bin/foo \"unbalanced\n"),
    ("lib/header.service", "[Service]\nExecStart=/bin/foo\n[Service\nType=idle\n"),
    ("lib/unknown.service", "[Service]\nExecStart=/bin/foo %z\n"),
    ("lib/directory.service", "[Service]\nType=oneshot\nExecStart=/bin/foo/\n"),
    ("lib/relative.service", "[Service]\nExecStart=a/b\n"),
    ("lib/cwd.service", "[Service]\nExecStart=/a\nWorkingDirectory=x\n"),
    ("lib/user.service", "[Service]\nExecStart=/a\nUser=a b:c\n"),
    ("lib/two.service", "[Service]\nExecStart=/a\nExecStart=/b\n"),
    ("lib/empty.service", ""),
    ("lib/a-b-c.service", "[Service]\nExecStart=/a\n"),
    ("lib/a-b-c.service.d/20.conf", "[Service]\nEnvironment=T=20\n"),
    ("lib/a-b-c.service.d/30.conf", "[Service]\nEnvironment=T=lost\n"),
    ("etc/a-.service.d/30.conf", "[Service]\nEnvironment=T30=etc\n"),
    ("lib/a-b-.service.d/40.conf", "[Service]\nEnvironment=T40=b\n"),
    ("lib/a-.service.d/40.conf", "[Service]\nEnvironment=T40=lost\n"),
    ("lib/service.d/10.conf", "[Service]\nUnsetEnvironment=ALL\n"),
    ("lib/service.d/40.conf", "[Service]\nEnvironment=T40=all\n"),
    ("lib/a-b-c.service.d/50.conf", "[Service]\nEnvironment=T50=lost\n"),
    ("etc/a-b-c.service.d/50.conf", ""),
    ("lib/a-b-c.service.d/README", "[Service]\nEnvironment=R=lost\n"),
    ("lib/a-b@.service", "[Service]\nExecStart=/a %i\n"),
    ("lib/a-b@a-b\\x2dc.service.d/60.conf", "[Service]\nEnvironment=T60=instance\n"),
    ("lib/a-b@.service.d/60.conf", "[Service]\nEnvironment=T60=lost\n"),
    ("etc/a-@.service.d/61.conf", "[Service]\nEnvironment=T61=prefix\n"),
    ("lib/a-@a-b\\x2dc.service.d/62.conf", "[Service]\nEnvironment=T62=prefix-instance\n"),
    ("lib/broken-drop.service", "[Service]\nExecStart=/a\n"),
    ("lib/broken-drop.service.d/x.conf", "[Service]\nEnvironment=A=1\n[Serv\nEnvironment=B=2\n"),
    ("lib/drop-user.service", "[Service]\nExecStart=/a\nUser=u\nGroup=g\n"),
    (
        "lib/drop-user.service.d/x.conf",
        "[Service]\nEnvironment=A=1\nUser=a:b\nEnvironment=B=2\n[Unit]\nDescription=lost\n",
    ),
    ("lib/drop-user.service.d/y.conf", "[Service]\nEnvironment=C=3\nGroup=%z\nUser=lost\n"),
    ("lib/drop-exec.service", "[Service]\nExecStart=/a\n"),
    (
        "lib/drop-exec.service.d/x.conf",
        "[Service]\nExecStart=\nExecStart=/b\nExecStart=%z\nUser=u\n",
    ),
    ("lib/drop-cwd.service", "[Service]\nExecStart=/a\nWorkingDirectory=/w\n"),
    ("lib/drop-cwd.service.d/x.conf", "[Service]\nWorkingDirectory=rel\nUser=u\n"),
    ("lib/drop-dynamic.service", "[Service]\nExecStart=/a\nDynamicUser=yes\n"),
    ("lib/drop-dynamic.service.d/x.conf", "[Service]\nDynamicUser=maybe\nUser=u\n"),
    ("lib/maybe.service", "[Service]\nExecStart=/a\nDynamicUser=maybe\n"),
    ("lib/no-truth.service", "[Service]\nExecStart=/a\nDynamicUser=\n"),
    ("lib/upper.service", "[Service]\nExecStart=/a\nDynamicUser=YES\n"),
    ("lib/no-user.service", "[Service]\nExecStart=/a\nUser=%z\n"),
    ("lib/no-cwd.service", "[Service]\nExecStart=/a\nWorkingDirectory=/%z\n"),
    ("lib/up-cwd.service", "[Service]\nExecStart=/a\nWorkingDirectory=/a/../b\n"),
    (
        "lib/lists.service",
        "[Service]\nExecStart=/a\nEnvironment=A=1 \"B=2\nEnvironment=C=1 \"D=\\q\" E=3\n\
         Environment=F=1 G=\\q H=3\nStateDirectory=a \"b\\q\" c\nUnsetEnvironment=A \"B\\q\" C\n\
         RuntimeDirectory=a \"b\nDocumentation=man:a(1) \"man:b(1)\n",
    ),
    (
        "lib/kept.service",
        "[Unit]\nDescription=kept\nDescription=%z\n[Service]\nExecStart=/a\nKillSignal=HUP\n\
         KillSignal=\nStateDirectory=a\nStateDirectoryMode=700\nStateDirectoryMode=\n\
         BusName=a.b\nBusName=%z\n",
    ),
    ("lib/names.service", "[Service]\nExecStart=/a\nUser=1abc\nGroup=-foo\n"),
    ("lib/plus.service", "[Service]\nExecStart=/a\nUser=+5\nGroup=a b\n"),
    ("lib/zero.service", "[Service]\nExecStart=/a\nUser=012\n"),
    ("lib/minus.service", "[Service]\nExecStart=/a\nUser=-5\n"),
    ("lib/reserved.service", "[Service]\nExecStart=/a\nUser=65535\n"),
    ("lib/large.service", "[Service]\nExecStart=/a\nUser=4294967296\n"),
    ("lib/slash.service", "[Service]\nExecStart=/a\nGroup=a/b\n"),
    ("lib/dots.service", "[Service]\nExecStart=/a\nGroup=..\n"),
    (
        "lib/crlf.service",
        "[Service]\r\nExecStart=/a \\\r\n  b\r\n# c \\\r\nUser=u\r\nEnvironment=\"A=1 \\\r\n 2\"\r\n",
    ),
    ("lib/asks.service", "[Service]\nExecStart=/a\nSockets=other.socket inst@q.socket\nSockets=\n"),
    ("lib/started.service", "[Service]\nExecStart=/a\n"),
    ("lib/other.socket", "[Socket]\nListenStream=80\nService=started.service\n"),
    ("lib/inst@.socket", "[Socket]\nListenStream=/run/%i\nService=to-%i@%i.service\n"),
    ("lib/started.socket", "[Socket]\nListenStream=/run/started\n"),
    ("lib/aliased.socket", "[Socket]\nListenStream=/run/aliased\nService=alias.service\n"),
    ("lib/temp@.service", "[Service]\nExecStart=/a\n"),
    ("lib/temp@.socket", "[Socket]\nListenStream=/run/%N\n"),
    ("lib/named@.socket", "[Socket]\nListenStream=/run/%N\nService=temp@%i.service\n"),
    ("lib/one.socket", "[Socket]\nListenStream=/run/one\nAccept=yes\n"),
    ("lib/one.service", "[Service]\nExecStart=/a\n"),
    ("lib/one@.service", "[Service]\nExecStart=/a\n"),
    ("lib/dropped.service", "[Service]\nExecStart=/a\n"),
    ("lib/x-y.socket", "[Socket]\nListenStream=/run/x-y\n"),
    ("lib/x-y.service", "[Service]\nExecStart=/a\n"),
    ("lib/x-.socket.d/a.conf", "[Socket]\nService=dropped.service\n"),
    ("lib/real.service", "[Service]\nExecStart=/a\n"),
    ("etc/alias.service.d/x.conf", "[Service]\nEnvironment=A=alias\n"),
];
