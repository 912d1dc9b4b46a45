"""Unit files alone: those of some hundred small packages, unpacked and not converted.

Below DIR: `units/PACKAGE/usr/lib/systemd/system/…`, and `units.stamp`.
"""

import concurrent.futures
import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile

from unpack import merge_usr

#: Small packages with services, at most two of each source package.
PACKAGES = """
2ping acpi-fakekey acpi-support acpid adjtimex all-knowing-dns amazon-ec2-net-utils ample
ampr-ripd anacron aodh-evaluator aodh-notifier aoetools apacheds apt-show-versions
apticron-systemd aptitude-robot aptly-api ara-server arpon arpwatch at atftpd autolog
autorandr avahi-dnsconfd barbican-keystone-listener barbican-worker batmand battery-stats
bdii beanstalkd biglybtd binfmt-support biometric-auth biometryd-bin bootparamd
bosixnet-daemon bosixnet-webui btrfsmaintenance buildbot-worker bumblebee
calamares-settings-mobian ceilometer-agent-ipmi ceilometer-polling cgroupfs-mount chkboot
cinder-backup cinder-scheduler clamsmtp clevis-systemd click cloudflare-ddns cloudkitty-api
cloudkitty-processor conmux consolation courier-authdaemon curvedns custodia daemontools-run
dbeacon debci-collector debci-worker debian-edu-install debspawn debug-me-server deluged
designate-agent designate-pool-manager dhcp-helper dhcpcd dkimpy-milter dmeventd
dns-flood-detector dnsproxy downtimed dpdk dphys-swapfile driverctl dropbear earlyoom
eg25-manager endlessh epoptes-client espeakup etckeeper exabgp fake-hwclock fancontrol
fcgiwrap fetch-crl ffproxy fireqos flamethrower freeipa-client-epn freeipa-healthcheck
freezer-api freezer-scheduler friendly-recovery g15daemon g810-led galileo-daemon
gavodachs2-server gcpegg glance-api globus-gatekeeper globus-gridftp-server-progs
globus-scheduler-event-generator-progs gmetad gnocchi-metricd gnocchi-statsd
gnupg-pkcs11-scd-proxy gophernicus greylistd groonga-server-gqtp groonga-server-http
group-service haveged hd-idle hdapsd hddemux heat-api heat-engine htpdate i8kutils ifrename
ifupdown ifupdown-extra ifupdown-ng iio-sensor-proxy iiod ikiwiki-hosting-web imapproxy
infnoise inputlirc intel-hdcp ionit iperf3 ipip irker ironic-api ironic-conductor
ironic-inspector ironic-neutron-agent irqbalance isatapd iwatch jitterentropy-rngd
kafs-client kdump-tools kgb-bot knockd krb5-kpropd ksmbd-tools ksmtuned kup-server ladvd
lava-coordinator lava-dispatcher-host lbcd ledmon live-config-systemd live-tools
local-apt-repository localslackirc location logrotate low-memory-monitor lprint lsm
lvm2-dbusd magnum-api magnum-conductor mailgraph mailman3-web make-dynpart-mappings
manila-data manila-share masakari-api masakari-engine masakari-host-monitor
masakari-instance-monitor mbpfan mcollective mdnsd memlockd micro-httpd minissdpd miniupnpd
mistral-engine mistral-executor moosefs-cgiserv moosefs-metalogger mpdscribble mptcpd
msmtp-mta munin-node-c murano-agent murano-cfapi murano-engine myproxy-server mythtv-status
nbd-client netconsole netctl netfilter-persistent netscript-2.4 netscript-ipfilter
networkd-dispatcher neutron-bgp-dragent neutron-l2gateway-agent neutron-l3-agent
neutron-sriov-agent neutron-taas-openvswitch-agent neutron-vpnaas-vyatta-agent nextepc-hss
nextepc-sgw nix-setup-systemd nodm nohang nordugrid-arc-hed nordugrid-arc-infosys-ldap
notus-scanner nova-conductor nova-scheduler nrpe-ng nsca nsca-ng-server nss-tlsd
ntpsec-ntpviz numad nyancat-server obs-worker octavia-housekeeping octavia-worker oddjob
oidentd omnidb-server omniorb-nameserver onionprobe open-infrastructure-storage-tools
open-infrastructure-system-config open-isns-discoveryd open-isns-server openbsd-inetd
opendnssec-enforcer openntpd openqa-worker openstack-cluster-installer-agent
openstack-cluster-installer-utils opentracker openvswitch-ipsec osmo-gtphub osmo-stp osspd
ostree-boot ovn-ic-db owfs-fuse owhttpd painintheapt partimage-server pass-extension-tomb
pcs-snmp pdudaemon pglistener pgqd php-common placement-api pnopaste policyd-rate-limit
pollinate poolcounter postfix-mta-sts-resolver postgrey postsrsd powa-collector
power-profiles-daemon prometheus-node-exporter-collectors prometheus-openstack-exporter
prometheus-pgbouncer-exporter prometheus-xmpp-alerts protection-domain-mapper proxsmtp
ps-watcher pyroman pyspf-milter python3-charon python3-rtslib-fb qcom-phone-utils qrtr-tools
radicale radioclk rapiddisk rauc-service rbldns rbootd rdma-core rdnssd redis-sentinel
redsocks resolvconf restorecond rinetd rmtfs rng-tools5 rpcbind rt4-fcgi rt5-fcgi rtkit
rtsp-server-perl runit-run sahara-api sahara-engine sanlk-reset sanoid sbd scanbd seatd
senlin-conductor senlin-engine setserial shorewall-lite shorewall6-lite sidedoor
simple-whip-server sitesummary sitesummary-client slurmrestd sms4you sndiod sniproxy snmpd
snmptrapd softflowd spacenavd spampd spice-vdagent spice-webdavd sreview-master sreview-web
srptools sslh svxlink-gpio swapspace switchconf switcheroo-control syncache syncplay-server
systemd-bootchart systemd-cron systemd-timesyncd systune tang tarantool-common targetcli-fb
tinyproxy tinysshd tomcat10 tpm2-abrmd tqftpserv triggerhappy trove-conductor
trove-taskmanager tryton-server-uwsgi tuptime twms udisks2-zram umtp-responder
unattended-upgrades unscd uptimed urfkill usb-modeswitch usbmuxd usbrelayd uuid-runtime
uwsgi-emperor vanguards vblade vitrage-graph vitrage-notifier walldns watcher-applier
watcher-decision-engine webdis weborf-daemon writeboost wsdd wsdd2 x2gobroker-authservice
x2gobroker-daemon x2gothinclient-cdmanager x2gothinclient-displaymanager ypbind-mt
yubikey-luks zaqar-server zcfan zram-tools zvmcloudconnector-api
""".split()

#: How many of them a newer release of the distribution may have dropped.
MISSING = 10

UNITS = re.compile(r"(usr/lib|etc)/systemd/system/")


def make(out, index, download, deb_path):
    """Unpacks the unit files unless they are there."""
    target, stamp = os.path.join(out, "units"), os.path.join(out, "units.stamp")
    missing = [name for name in PACKAGES if not index.versions(name)]
    if missing:
        print(f"corpus units: apt does not know {' '.join(missing)}")
    if len(missing) > MISSING:
        sys.exit(f"corpus units: {len(missing)} packages are missing, which is too many")
    versions = {name: index.versions(name)[-1] for name in PACKAGES if index.versions(name)}
    listed = {n: [c["Version"], c["Architecture"]] for n, c in sorted(versions.items())}
    download(os.path.join(out, "debs"), {"units": listed})
    # first of all: what is half there is not current
    with contextlib.suppress(FileNotFoundError):
        os.remove(stamp)
    if os.path.isdir(target):
        shutil.rmtree(target)
    work = f"{target}.work"
    shutil.rmtree(work, ignore_errors=True)
    debs = {n: deb_path(os.path.join(out, "debs"), n, *va) for n, va in listed.items()}
    with concurrent.futures.ThreadPoolExecutor() as pool:
        roots = [os.path.join(work, name) for name in debs]
        counts = list(pool.map(unpack, debs.values(), roots))
    os.rename(work, target)
    with open(stamp, "w", encoding="utf-8") as text:
        text.write(digest())
    print(f"corpus units: {sum(counts)} unit files of {len(debs)} packages in {target}")


def digest():
    """Changes whenever the list or the way does."""
    with open(__file__, "rb") as text:
        return hashlib.sha256(text.read()).hexdigest() + "\n"


def is_current(out):
    """Whether they are what this file would make; which versions apt offers does not count."""
    if not os.path.isdir(os.path.join(out, "units")):
        return False
    try:
        with open(os.path.join(out, "units.stamp"), encoding="utf-8") as text:
            return text.read() == digest()
    except OSError:
        return False


def unpack(deb, root):
    """Writes the unit files of a package below `root`; how many there are."""
    count = 0
    pipe = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE)
    with tarfile.open(fileobj=pipe.stdout, mode="r|") as members:
        for member in members:
            path = merge_usr(member.name)
            if not UNITS.match(path) or not (member.isreg() or member.issym()):
                continue
            target = os.path.join(root, path)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            if member.issym():
                os.symlink(member.linkname, target)
            else:
                with open(target, "wb") as file:
                    shutil.copyfileobj(members.extractfile(member), file)
            count += 1
    pipe.stdout.read()
    if pipe.wait() != 0:
        raise subprocess.CalledProcessError(pipe.returncode, pipe.args)
    return count
