//! Frequent words of English that other languages in Latin letters do not have.

/// Words that nearly every English sentence has one of. Lower case; none is also frequent in French, Spanish,
/// Portuguese, Italian, German, Dutch or Turkish.
const FUNCTION_WORDS: &[&str] = &[
    "the", "of", "and", "to", "is", "it", "that", "you", "he", "for", "with", "his", "they", "this", "from",
    "have", "by", "not", "but", "what", "all", "were", "when", "your", "can", "there", "an", "each", "which",
    "she", "how", "their", "if", "will", "about", "then", "them", "these", "would", "has", "more", "my",
    "been", "who", "its", "may", "our", "are", "i", "we", "at", "be", "as", "or", "had", "do", "into",
    "only", "than", "other", "just", "some", "could", "because", "please", "where", "why", "very",
];

/// Whether a word is one of them, in any case.
pub(crate) fn is_function_word(word: &str) -> bool {
    FUNCTION_WORDS.iter().any(|known| known.eq_ignore_ascii_case(word))
}
