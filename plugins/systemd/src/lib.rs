//! systemd units become entry point, user, ports, directories
