//! Trees with entries that no release has.

use super::told;

const TIP: &str = "$(git rev-parse heads/local)";

#[test]
fn b35_entries_that_lead_out() {
    told(&[
        ("b35_parent_directory", "tree-path", TIP, "stand $({ entry 100644 ..; root; } | tree)"),
        ("b35_this_directory", "tree-path", TIP, "stand $({ entry 100644 .; root; } | tree)"),
        ("b35_git_directory", "tree-path", TIP, "stand $({ entry 100644 .git; root; } | tree)"),
        ("b35_git_in_capitals", "tree-path", TIP, "stand $({ entry 100644 .GIT; root; } | tree)"),
        ("b35_slash_in_a_name", "tree-path", TIP, "stand $({ root; entry 100644 z/z; } | tree)"),
        ("b35_no_name", "tree-path", TIP, "stand $({ entry 100644 ''; root; } | tree)"),
    ]);
}

#[test]
fn b35_entries_that_are_no_files() {
    told(&[
        ("b35_link", "tree-path", TIP, "stand $({ root; entry 120000 z; } | tree)"),
        ("b35_submodule", "tree-path", TIP, "stand $({ root; entry 160000 z; } | tree)"),
        ("b35_executable", "tree-path", TIP, "stand $({ root; entry 100755 z; } | tree)"),
        (
            "b10_mailmap",
            "tree-path",
            TIP,
            "echo 'bob <bob@example.com> <mallory@example.com>' | put .mailmap; stand $(git write-tree)",
        ),
        ("b35_git_attributes", "tree-path", TIP, "echo '* filter=x' | put .gitattributes; stand $(git write-tree)"),
    ]);
}

#[test]
fn b35_entries_written_in_two_ways() {
    told(&[
        ("b35_mode_with_a_zero", "tree-path", TIP, "stand $({ root; entry 0100644 z; } | tree)"),
        ("b35_mode_of_the_group", "tree-path", TIP, "stand $({ root; entry 100664 z; } | tree)"),
        ("b35_mode_of_nothing", "tree-path", TIP, "stand $({ root; entry 170000 z; } | tree)"),
        ("b35_twice", "manifest-unreadable", TIP, "stand $({ root; entry 100644 release.json; } | tree)"),
        ("b35_file_and_directory", "tree-path", TIP, "stand $({ entry 100644 agents; root; } | tree)"),
        ("b35_unsorted", "tree-path", TIP, "stand $({ entry 100644 z; root; } | tree)"),
        (
            "b35_latin_1",
            "object-damaged",
            "$(git rev-parse heads/local^{tree})",
            "stand $({ root; entry 100644 'z\\351'; } | tree)",
        ),
        ("b35_cut", "object-damaged", "$(git rev-parse heads/local^{tree})", "stand $(root | head -c -3 | tree)"),
    ]);
}

#[test]
fn b35_files_of_a_closure_that_are_something_else() {
    let mode = "closure=agents/default/support-triage/closure; f=$closure/agent.yaml
                git update-index --add --cacheinfo MODE,$(git rev-parse $old:$f),$f; stand $(git write-tree)";
    for (id, number) in
        [("b35_closure_link", "120000"), ("b35_closure_executable", "100755"), ("b35_closure_submodule", "160000")]
    {
        let script: &'static str = mode.replace("MODE", number).leak();
        told(&[(id, "closure-form", TIP, script)]);
    }
    told(&[(
        "b35_record_link",
        "object-damaged",
        "record.json",
        "git update-index --add --cacheinfo 120000,$(git rev-parse $old:$record),$record; stand $(git write-tree)",
    )]);
}
