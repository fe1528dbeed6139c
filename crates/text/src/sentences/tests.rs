//! Texts and the sentences that they are cut into.

use super::*;

fn sentences(text: &str) -> Vec<&str> {
    split(text).into_iter().map(|range| text[range].trim_end()).collect()
}

#[test]
fn every_sentence_mark_of_both_languages_ends_one() {
    for (text, n_sentences) in [
        ("I came. I saw! Did you? Yes.", 4),
        ("كيف حالك؟ أنا بخير. شكرا! نعم", 4),
        ("هو مريض؛ لذلك لم يأت. نعم.", 3),
        ("یہ کتاب ہے۔ وہ قلم ہے۔", 2),
        ("ماذا؟! لا أعرف!! حقا", 3),
        ("He left… Then she came.", 2),
    ] {
        assert_eq!(sentences(text).len(), n_sentences, "{:?}", sentences(text));
    }
}

#[test]
fn what_follows_a_mark_without_a_space_is_a_sentence_only_in_arabic() {
    assert_eq!(sentences("كيف حالك؟أنا بخير.شكرا"), ["كيف حالك؟", "أنا بخير.", "شكرا"]);
    assert_eq!(sentences("why?!no one knows.ok"), ["why?!no one knows.ok"]);
}

#[test]
fn abbreviations_and_initials_do_not_end_a_sentence() {
    for text in [
        "Dr. Smith met Mrs. Jones vs. Prof. X.",
        "See e.g. Chapter 3, i.e. Figure 2.",
        "J. R. R. Tolkien and George W. Bush",
        "The U.S. Army and the U.K. Parliament",
        "Apple Inc. Chairman Smith",
        "It is no. 5 on p. 12 of vol. 3.",
        "قال د. أحمد إن أ.د. محمد غائب",
        "انظر ص. 15 من ج. 2",
        "صندوق البريد ص.ب. 123",
    ] {
        assert_eq!(sentences(text), [text]);
    }
}

#[test]
fn an_abbreviation_before_a_new_sentence_ends_the_old_one() {
    assert_eq!(sentences("He lives in the U.S. He works."), ["He lives in the U.S.", "He works."]);
    assert_eq!(sentences("At 5 p.m. The shop closes."), ["At 5 p.m.", "The shop closes."]);
    assert_eq!(sentences("I said no. Then I left."), ["I said no.", "Then I left."]);
    assert_eq!(
        sentences("ولد عام 1990م. وتوفي عام 1445هـ. رحمه الله"),
        ["ولد عام 1990م.", "وتوفي عام 1445هـ.", "رحمه الله"]
    );
}

#[test]
fn dotted_abbreviations_of_arabic_are_words() {
    for text in [
        "السعر ١٠ ر.س. ثم دفع",
        "السعر 10 د.ك. ثم دفع",
        "دفع 50ج.م. للبائع",
        "السعر 10 ر. س. ثم دفع",
        "شركة النور ذ.م.م. تأسست سنة 1990.",
        "شركة النور (ش.م.ل.) تأسست هنا",
        "سنة ٣٠٠ ق.م. بنيت المدينة.",
        "حضر أ.م.د. علي وأ.د. محمد اليوم",
        "يكفي 5 ك.و.س. في اليوم",
        "قال م.م. سعيد",
    ] {
        assert_eq!(sentences(text), [text]);
    }
    assert_eq!(sentences("دفع ١٠ ر.س.\nثم خرج"), ["دفع ١٠ ر.س.", "ثم خرج"]);
    assert_eq!(sentences("سنة 2020م. د. أحمد هنا"), ["سنة 2020م.", "د. أحمد هنا"]);
}

#[test]
fn what_is_numbered_by_a_letter_goes_on_with_it() {
    for text in [
        "See Fig. A for it",
        "as in Eq. B of the text",
        "He read Vol. II of it",
        "Go to Sec. IV now",
        "Read Ch. I first",
        "Fig. A shows Figs. B and C",
        "in Fig. S1 and (Eq. B) too",
        "Room No. B is No. II",
        "Take No. 5 and pp. 3 of it",
        "cf. Smith et al. Johnson",
    ] {
        assert_eq!(sentences(text), [text]);
    }
}

#[test]
fn an_abbreviation_or_a_letter_may_end_a_sentence() {
    for (first, second) in [
        ("We walked down Main St.", "He was tired."),
        ("Let us take plan B.", "We need it."),
        ("Eat more Vitamin C.", "It helps."),
        ("Take Vitamin D.", "Doctors say so."),
        ("Many died in World War II.", "The war ended."),
        ("See Fig. A.", "Results follow."),
        ("He ate a fig.", "A dog came."),
        ("I said no.", "I left."),
        ("They came in Dec.", "I left."),
        ("She got an A.", "They did not."),
        ("It was shown by Smith et al.", "The results agree."),
        ("It is the U.S. (i.e. the U.S.A.)", "They know."),
    ] {
        assert_eq!(sentences(&format!("{first} {second}")), [first, second]);
    }
    for text in ["We met George W. Bush", "by J. A. Smith", "near St. Petersburg", "Prof. May B. Mayer spoke"]
    {
        assert_eq!(sentences(text), [text]);
    }
}

#[test]
fn texts_that_read_the_same_are_cut_at_the_same_places() {
    for (plain, same) in [
        ("Hello. Thank you. Bye.", "Hello. \u{200B}Thank you. \u{2068}Bye.\u{2069}"),
        ("Hello. Thank you.", "Ｈｅｌｌｏ．\u{3000}Ｔｈａｎｋ\u{A0}ｙｏｕ．"),
        ("قال ذ.م.م. نعم. ثم خرج؟ لا", "قال \u{FEAB}.م.م\u{200F}. نعم.\u{202F}\u{200F}ثم خـــرج؟ \u{FEFC}"),
        ("Dr. Smith. No.", "\u{FEFF}Dr\u{AD}. Smith.\u{2009}\u{200E}No."),
        ("«أين؟» قال. نعم", "«أين?» قال. نعم"),
    ] {
        let folded: Vec<_> = sentences(same)
            .into_iter()
            .map(|sentence| crate::fold::fold(sentence, EasternForms::Fold).trim().to_owned())
            .collect();
        assert_eq!(folded, sentences(plain), "{same:?}");
    }
}

#[test]
fn decimals_addresses_and_pauses_do_not_end_a_sentence() {
    for text in [
        "Pi is 3.14 and e is 2.71.",
        "العدد ٣.١٤ تقريبا",
        "See http://a.b/c.d?x=1&y=2 now",
        "Mail a.b@example.com or visit www.example.org/x.html today",
        "Wait... what is that... really",
        "انتظر... ماذا تقول",
        "لا أعرف… ربما غدا",
        "file.txt and v1.2.3 are here",
    ] {
        assert_eq!(sentences(text), [text]);
    }
}

#[test]
fn closing_quotes_and_brackets_stay_with_the_sentence() {
    assert_eq!(
        sentences("He said \"Go.\" Then (he left.) Yes."),
        ["He said \"Go.\"", "Then (he left.)", "Yes."]
    );
    assert_eq!(sentences("قال: «نعم.» ثم خرج. (انتهى.) تم"), ["قال: «نعم.»", "ثم خرج.", "(انتهى.)", "تم"]);
    assert_eq!(
        sentences("\"Really?\" he asked. \"Yes!\" She laughed."),
        ["\"Really?\" he asked.", "\"Yes!\"", "She laughed."]
    );
    assert_eq!(sentences("**Stop.** Go on."), ["**Stop.**", "Go on."]);
}

#[test]
fn numbers_of_list_items_stay_with_their_text() {
    assert_eq!(
        sentences("1. First item.\n2. Second\niv. Fourth\nأ. أولا"),
        ["1. First item.", "2. Second", "iv. Fourth", "أ. أولا"]
    );
    assert_eq!(sentences("It was 1990. Then came 1991."), ["It was 1990.", "Then came 1991."]);
    assert_eq!(sentences("A pandemic. 10 countries"), ["A pandemic.", "10 countries"]);
    assert_eq!(sentences("See Para. 10 of it"), ["See Para. 10 of it"]);
}

#[test]
fn every_line_is_a_sentence_of_its_own() {
    assert_eq!(sentences("a title\nthe text\r\n\r\nmore\u{2029}end"), ["a title", "the text", "more", "end"]);
    assert_eq!(sentences("\n\n a\n"), ["\n\n a"]);
}

#[test]
fn marks_alone_are_no_sentence() {
    assert_eq!(sentences("ماذا؟ ! ؟ نعم."), ["ماذا؟ ! ؟", "نعم."]);
    assert_eq!(sentences("... Hello."), ["... Hello."]);
    assert_eq!(sentences("؟؟"), ["؟؟"]);
}

#[test]
fn long_texts_of_any_shape_are_split_in_linear_time() {
    let shapes = [
        "'. ", "؟ ", ".", "…", "…!", "؛", "\n", " ", "a. ", "ب.", "Dr. ", "1. ", ".*", "((", "a.1) ", "«.» ",
        "x", "؟أ",
    ];
    for shape in shapes {
        // At this length an algorithm that goes over the text again for each mark takes hours.
        let text = shape.repeat(2_000_000 / shape.len());
        assert_eq!(split(&text).last().map(|range| range.end), Some(text.len()), "{shape:?}");
    }
}

#[test]
fn ranges_cover_every_text_without_a_gap() {
    for text in
        ["", " ", "\n", "a", "؟", "a.\n\n\nb. ", "…", "…؛…؛", "؛a", "\u{FEFF}x. y", "😀! 😀", "a\u{200F}. ب"]
    {
        let ranges = split(text);
        let ends: Vec<usize> = ranges.iter().map(|range| range.end).collect();
        let starts: Vec<usize> = ranges.iter().map(|range| range.start).collect();
        assert_eq!([&[0], &ends[..]].concat(), [&starts[..], &[text.len()]].concat(), "{text:?}");
        assert!(ranges.iter().all(|range| !range.is_empty()));
    }
}
