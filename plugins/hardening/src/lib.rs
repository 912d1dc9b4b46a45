//! warns of or refuses images that run as root or hold set-id files
