//! Masking (RFC 6455, section 5.3): each payload byte is XORed with one of four key bytes, in turn.

/// Masks or unmasks `bytes` in place; `offset` is the position of `bytes[0]` in its frame's payload.
///
/// Eight bytes at a time: the compiler turns the loop into vector instructions.
pub(crate) fn apply(bytes: &mut [u8], key: [u8; 4], offset: usize) {
    let mut key = key;
    key.rotate_left(offset % 4);
    let [a, b, c, d] = key;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (blocks, tail) = bytes.as_chunks_mut::<8>();
    for block in blocks {
        *block = (u64::from_ne_bytes(*block) ^ wide).to_ne_bytes();
    }
    for (byte, key) in tail.iter_mut().zip([a, b, c, d, a, b, c]) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn unmasking_in_any_pieces_is_the_byte_by_byte_definition(
            payload in prop::collection::vec(any::<u8>(), 0..200),
            key in any::<[u8; 4]>(),
            cut in 0usize..200,
        ) {
            let by_definition: Vec<u8> = payload.iter().enumerate().map(|(i, byte)| byte ^ key[i % 4]).collect();
            let mut pieces = payload.clone();
            let cut = cut.min(pieces.len());
            let (first, second) = pieces.split_at_mut(cut);
            super::apply(first, key, 0);
            super::apply(second, key, cut);
            prop_assert_eq!(pieces, by_definition);
        }
    }
}
