//! Commits and tags that two programs read in two ways: told, whoever signed them.

use super::told;

/// The tip of `local`, by its id.
const TIP: &str = "$(git rev-parse heads/local)";
const TAG: &str = "refs/tags/release/local/2";

#[test]
fn b25_headers_that_git_passes_over() {
    told(&[
        ("b25_encoding", "commit-form", TIP, "move $(bare | sed '/^committer/a encoding utf-7' | seal git)"),
        (
            "b25_merge_tag",
            "commit-form",
            TIP,
            "move $(bare | sed '/^committer/a mergetag object 0\\n type commit' | seal git)",
        ),
        (
            "b25_unknown_header",
            "commit-form",
            TIP,
            "move $(bare | sed '/^committer/a approved-by bob@example.com' | seal git)",
        ),
        (
            "b25_sha256_signature",
            "signature-unreadable",
            TIP,
            "move $(bare | sed '/^committer/a gpgsig-sha256 x' | seal git)",
        ),
        (
            "b25_signature_in_capitals",
            "signature-unreadable",
            TIP,
            "move $(bare | sed '/^committer/a GPGSIG x' | seal git)",
        ),
    ]);
}

#[test]
fn b25_people_written_in_two_ways() {
    told(&[
        ("b25_two_authors", "commit-form", TIP, "move $(bare | sed '/^author/p' | seal git)"),
        ("b25_two_committers", "commit-form", TIP, "move $(bare | sed '/^committer/p' | seal git)"),
        ("b25_no_author", "commit-form", TIP, "move $(bare | sed '/^author/d' | seal git)"),
        (
            "b25_author_last",
            "commit-form",
            TIP,
            "move $(bare | sed -e '/^author/{h;d' -e '}' -e '/^committer/G' | seal git)",
        ),
        ("b25_no_name", "commit-form", TIP, "move $(bare | sed 's/^author [^<]*/author /' | seal git)"),
        ("b25_double_space", "commit-form", TIP, "move $(bare | sed 's/^author /&  /' | seal git)"),
        (
            "b25_two_addresses",
            "commit-form",
            TIP,
            "move $(bare | sed 's/^author \\([^<]*\\)/&<bob@example.com> /' | seal git)",
        ),
        ("b25_author_goes_on", "commit-form", TIP, "move $(bare | sed 's/^author [^<]*/author bob\\n /' | seal git)"),
        ("b25_carriage_return", "commit-form", TIP, "move $(bare | sed '/^author/s/$/\\r/' | seal git)"),
        ("b25_nul_in_a_name", "commit-form", TIP, "move $(bare | sed 's/^author [^ ]*/&\\x00bob/' | seal git)"),
        ("b25_name_in_latin_1", "commit-form", TIP, "move $(bare | sed 's/^author [^ ]*/&\\xe9/' | seal git)"),
    ]);
}

#[test]
fn b25_times_written_in_two_ways() {
    told(&[
        ("b25_offset_of_99_hours", "commit-form", TIP, "move $(bare | sed '/^author/s/+0000/+9999/' | seal git)"),
        ("b25_offset_without_a_sign", "commit-form", TIP, "move $(bare | sed '/^author/s/+0000/0000/' | seal git)"),
        ("b25_offset_below_nothing", "commit-form", TIP, "move $(bare | sed '/^committer/s/+0000/-0000/' | seal git)"),
        ("b25_time_with_a_sign", "commit-form", TIP, "move $(bare | sed '/^committer/s/> /&+/' | seal git)"),
        ("b25_time_with_a_zero", "commit-form", TIP, "move $(bare | sed '/^committer/s/> /&0/' | seal git)"),
        ("b31_time_of_1970", "time-backwards", TIP, "move $(bare | sed '/^committer/s/> .*/> 0 +0000/' | seal git)"),
    ]);
}

#[test]
fn b25_trees_and_parents_written_in_two_ways() {
    told(&[
        ("b25_two_trees", "commit-form", TIP, "move $(bare | sed 1p | seal git)"),
        ("b25_parent_twice", "one-parent", TIP, "move $(bare | sed 2p | seal git)"),
        (
            "b25_parent_after_the_author",
            "commit-form",
            TIP,
            "move $(bare | sed -e '2{h;d' -e '}' -e '/^author/G' | seal git)",
        ),
    ]);
}

#[test]
fn b24_messages_that_say_more_than_their_manifest() {
    told(&[
        ("b24_nul", "commit-form", TIP, "move $({ bare; printf '\\0hidden\\n'; } | seal git)"),
        ("b24_latin_1", "commit-form", TIP, "move $({ bare; printf 'Joch-Note: \\351\\n'; } | seal git)"),
        (
            "b24_trailer_more",
            "message",
            TIP,
            "move $({ bare; printf 'Joch-Approved-By: bob@example.com\\n'; } | seal git)",
        ),
        (
            "b24_trailer_of_an_author",
            "message",
            TIP,
            "move $({ bare; printf 'Co-authored-by: bob <bob@example.com>\\n'; } | seal git)",
        ),
        (
            "b24_words_behind_the_trailers",
            "message",
            TIP,
            "move $({ bare; printf '\\nApproved by Bob.\\n'; } | seal git)",
        ),
        (
            "b24_after_a_rule",
            "message",
            TIP,
            "move $({ bare; printf -- '---\\nSigned-off-by: bob <bob@example.com>\\n'; } | seal git)",
        ),
        (
            "b24_carriage_return",
            "message",
            TIP,
            "move $(bare | sed 's/^Joch-Reason: .*/&\\rJoch-Approved-By: bob/' | seal git)",
        ),
        (
            "b24_line_separator",
            "message",
            TIP,
            "move $(bare | sed 's/^Joch-Reason: .*/&\\xe2\\x80\\xa8Joch-Approved-By: bob/' | seal git)",
        ),
        ("b24_trailer_twice", "message", TIP, "move $(bare | sed '/^Joch-Release/p' | seal git)"),
        (
            "b24_trailer_that_goes_on",
            "message",
            TIP,
            "move $(bare | sed 's/^Joch-Reason: .*/&\\n  as Bob agreed/' | seal git)",
        ),
        ("b24_trailer_gone", "message", TIP, "move $(bare | sed '/^Joch-Trust/d' | seal git)"),
        (
            "b24_signature_in_the_message",
            "message",
            TIP,
            "move $({ bare; printf -- '-----BEGIN SSH SIGNATURE-----\\nx\\n'; } | seal git)",
        ),
    ]);
}

#[test]
fn b25_tags_written_in_two_ways() {
    told(&[
        (
            "d3_03_tagger_of_another_name",
            "identity",
            TAG,
            "untagged | sed 's/^tagger [^>]*>/tagger bob@example.com <bob@example.com>/' | tagged",
        ),
        ("b25_tag_two_taggers", "release-tag-form", TAG, "untagged | sed '/^tagger/p' | tagged"),
        ("b25_tag_no_tagger", "release-tag-form", TAG, "untagged | sed '/^tagger/d' | tagged"),
        ("b25_tag_header_more", "release-tag-form", TAG, "untagged | sed '/^tagger/a encoding utf-7' | tagged"),
        ("b25_tag_carriage_return", "release-tag-form", TAG, "untagged | sed '/^tagger/s/$/\\r/' | tagged"),
        (
            "b25_tag_of_a_tag",
            "release-tag-form",
            TAG,
            "t=$(git rev-parse tags/release/local/2); untagged | sed \"1s/.*/object $t/; 2s/.*/type tag/\" | tagged",
        ),
        ("b25_tag_of_a_tree_that_is_a_commit", "release-tag-form", TAG, "untagged | sed '2s/.*/type tree/' | tagged"),
        (
            "b25_tag_name_with_its_ref",
            "release-tag-form",
            TAG,
            "untagged | sed '3s/.*/tag refs\\/tags\\/release\\/local\\/2/' | tagged",
        ),
        ("b25_tag_words_behind_the_signature", "signature-unreadable", TAG, "untagged | tagged 'Approved by Bob.\\n'"),
        ("b25_tag_signed_twice", "signature-unreadable", TAG, "git cat-file tag tags/release/local/2 | tagged"),
        ("b25_tag_nul", "release-tag-form", TAG, "{ untagged; printf '\\0hidden\\n'; } | tagged"),
    ]);
}

#[test]
fn x09_commits_that_plain_git_makes() {
    told(&[
        (
            "x09_evidence_of_nothing",
            "evidence-changed",
            "$(git rev-parse heads/evidence)",
            "take evidence; echo approve | add evidence",
        ),
        (
            "x09_made_on_another_day",
            "commit-form",
            TIP,
            "move $(bare | sed '/^author/s/> [0-9]*/> 1000000000/' | seal git)",
        ),
        (
            "x09_octopus",
            "one-parent",
            TIP,
            "p=$(git rev-parse heads/dev); q=$(git rev-parse heads/staging)
             move $(bare | sed \"2s/\\$/\\nparent $p\\nparent $q/\" | seal git)",
        ),
        (
            "x09_two_signatures",
            "signature-unreadable",
            TIP,
            "move $(bare | sed '/^committer/a gpgsig -----BEGIN SSH SIGNATURE-----' | seal git)",
        ),
        (
            "x09_words_behind_the_signature",
            "signature-unreadable",
            TIP,
            "move $(git cat-file commit $old | sed '/^ -----END SSH SIGNATURE/s/$/\\n Approved by Bob./' > $TMPDIR/c; git hash-object -t commit -w --literally $TMPDIR/c)",
        ),
        (
            "x09_signature_with_carriage_returns",
            "signature-unreadable",
            TIP,
            "move $(git cat-file commit $old | sed '/^ U1NI/s/$/\\r/' > $TMPDIR/c; git hash-object -t commit -w --literally $TMPDIR/c)",
        ),
        (
            "x09_signature_of_another_commit",
            "signature-mismatch",
            TIP,
            "{ bare | sed '/^committer/q'; git cat-file commit heads/dev | sed -n '/^gpgsig/,/END SSH/p'; bare | sed -n '/^$/,$p'; } > $TMPDIR/c
             move $(git hash-object -t commit -w --literally $TMPDIR/c)",
        ),
    ]);
}
