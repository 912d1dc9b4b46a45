//! Greets whoever is named, in the words of `/etc/greeting.conf`.

fn main() {
    let words = std::fs::read_to_string("/etc/greeting.conf");
    let words = words.as_deref().map_or("Hello", str::trim);
    for name in std::env::args().skip(1) {
        println!("{words}, {name}!");
    }
}
