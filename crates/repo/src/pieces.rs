//! Cutting `primary.xml` between packages, so that its pieces can be read at the same time.

/// Length of a piece.
const PIECE: usize = 1 << 20;

const END: &str = "</package>";

/// Consecutive pieces of `xml`, each but the last up to the end of a package.
///
/// An end tag inside of a comment or CDATA section is none. Who reads a piece notices: one of them
/// then holds a comment or CDATA section, whole or cut in two.
pub(crate) fn cut(xml: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = xml;
    while let Some(end) = end_of_piece(rest) {
        let (piece, after) = rest.split_at(end);
        pieces.push(piece);
        rest = after;
    }
    pieces.push(rest);
    pieces
}

fn end_of_piece(text: &str) -> Option<usize> {
    let from = (PIECE..text.len()).find(|at| text.is_char_boundary(*at))?;
    Some(from + text.get(from..)?.find(END)? + END.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost() {
        for filler in ["x", "é", "€"] {
            let package = format!("<package>{}</package>", filler.repeat(PIECE / 3));
            for count in 0..8 {
                let text = format!("<metadata>{}</metadata>", package.repeat(count));
                let pieces = cut(&text);
                assert_eq!(pieces.concat(), text);
                let (_, whole) = pieces.split_last().expect("there is always a last one");
                assert!(whole.iter().all(|piece| piece.ends_with(END)));
                assert!(count < 4 || pieces.len() > 1);
            }
        }
    }
}
