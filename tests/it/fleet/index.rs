//! The tables: followed or derived anew they are the same, and what others wrote in their place is not taken for them.

use std::collections::BTreeMap;
use std::fs;

use super::{agent, done, json, project, write};
use crate::support::world::World;

/// Every table of the cache by its name; the tip of trust that was checked is none.
fn tables(world: &World) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(world.project().join(".joch/cache")).expect("a cache");
    let entry = |entry: fs::DirEntry| {
        (entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path()).expect("a file"))
    };
    files.map(|file| entry(file.expect("an entry"))).filter(|(name, _)| name != "trust").collect()
}

/// Asks what makes every table follow to the ledger as it is.
fn ask(world: &World) -> String {
    // What it would promote does not matter: the guards of an agent are looked up on both sides.
    world.sh("alice", "joch explain a0 --from staging --to prod");
    done(world, "joch agbom ls -o json").stdout
}

#[test]
fn a_table_that_followed_every_change_is_the_one_that_is_derived_anew() {
    let world = project("index-follows");
    write(&world, "a0.yaml", &agent(0, 1));
    done(&world, "joch apply -f a0.yaml");
    ask(&world);
    // A walk of changes that nobody chose: agents come, change, go and come back, alone and by what they share.
    let mut seed: u64 = 7;
    let mut next = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    for step in 0..12 {
        let number = usize::try_from(1 + next(4)).expect("small");
        let line = match next(5) {
            0 => format!("joch delete agent a{number} --env staging"),
            1 => {
                let parent = "apiVersion: joch.dev/v1alpha1\nkind: Agent\nmetadata: { name: parent }\nspec: { \
                              instructions: ask, modelRef: { name: answers }, children: [{ name: a0 }] }\n";
                write(&world, "parent.yaml", parent);
                "joch apply -f parent.yaml".to_owned()
            }
            2 => {
                let server = format!(
                    "apiVersion: tools.joch.dev/v1alpha1\nkind: MCPServer\nmetadata: {{ name: server-{} }}\nspec: {{ \
                     transport: streamable_http, endpoint: {{ url: \"https://mcp.example/{step}\" }} }}\n",
                    next(3)
                );
                write(&world, "server.yaml", &server);
                "joch apply -f server.yaml".to_owned()
            }
            _ => {
                write(&world, "one.yaml", &agent(number, step));
                "joch apply -f one.yaml".to_owned()
            }
        };
        // An agent that is not there cannot be deleted, and that is no step.
        world.sh("alice", &line);
        if next(2) == 0 {
            ask(&world);
        }
    }
    let (told, followed) = (ask(&world), tables(&world));
    fs::remove_dir_all(world.project().join(".joch/cache")).expect("a cache");
    assert_eq!(ask(&world), told);
    for (name, anew) in tables(&world) {
        let [anew, followed] = [&anew, &followed[&name]].map(|bytes| String::from_utf8_lossy(bytes));
        assert_eq!(anew, followed, "{name}");
    }
    for name in ["deployments-staging", "deployments-prod", "evals-staging", "parents-prod", "bills-staging"] {
        assert!(followed.contains_key(name), "{name} is not among {:?}", followed.keys());
    }
    done(&world, "joch audit verify");
}

#[test]
fn a_guard_that_somebody_takes_out_of_a_table_still_stands() {
    let world = project("index-forged");
    write(&world, "a0.yaml", &agent(0, 1));
    done(&world, "joch apply -f a0.yaml");
    let refused = |how: &str| {
        let promoted = world.sh("alice", "joch promote a0 --from staging --to prod -o json");
        let gates = serde_json::from_str::<serde_json::Value>(&promoted.stdout).expect("JSON");
        assert_eq!(promoted.code, 3, "{how}: {gates:#}");
        let demanded = r#""demandedBy":["deployment/a0-prod"]"#;
        assert!(gates.to_string().contains(demanded), "{how}: {gates:#}");
    };
    refused("nothing kept");
    let name = "deployments-staging";
    let file = world.project().join(".joch/cache").join(name);
    let whole = fs::read(&file).expect("a table");
    let text = String::from_utf8(whole.clone()).expect("text");
    assert!(text.contains("agent default/a0\tdefault/a0-prod.yaml\n"), "{text}");
    let without: String = text.split_inclusive('\n').filter(|line| !line.starts_with("agent default/a0\t")).collect();
    let other = fs::read(world.project().join(".joch/cache/evals-staging")).expect("a table");
    for (how, bytes) in [
        ("a line less", without.into_bytes()),
        ("a line that says something else", text.replace("\tdefault/a0-prod", "\tdefault/a0-none").into_bytes()),
        ("cut", whole[..whole.len() / 2].to_vec()),
        ("cut within the seal", whole[..10].to_vec()),
        ("empty", Vec::new()),
        ("another table, sealed", other),
        ("no text", vec![0xff; 200]),
        ("a line more", [whole.clone(), b"agent default/a1\tdefault/none.yaml\n".to_vec()].concat()),
    ] {
        fs::write(&file, bytes).expect("own file");
        refused(how);
        assert_eq!(fs::read(&file).expect("a table"), whole, "{how}: it is derived anew");
    }
    // Sealed with a key that others may know, it is nobody's word.
    let key = world.home("alice").join(".local/state/joch/cache-key");
    done(&world, &format!("chmod 644 {}", key.display()));
    fs::write(&file, b"x").expect("own file");
    refused("the key is not private");
    assert_eq!(fs::read(&file).expect("a table"), b"x", "without a key nothing is kept");
}

#[test]
fn a_long_table_is_looked_up_in_pages_and_tells_of_what_has_changed_since() {
    let world = project("index-long");
    let other = |number: usize| {
        format!(
            "---\napiVersion: ops.joch.dev/v1alpha1\nkind: Deployment\nmetadata: {{ name: a0-elsewhere-{number:03} }}\n\
             spec: {{ agentRef: {{ name: a0 }}, environmentRef: {{ name: staging }} }}\n"
        )
    };
    write(&world, "a0.yaml", &(agent(0, 1) + &(0..200).map(other).collect::<String>()));
    done(&world, "joch apply -f a0.yaml");
    let demanded = |by: &str| {
        let promoted = world.sh("alice", "joch promote a0 --from staging --to prod -o json");
        assert_eq!(promoted.code, 3, "{}{}", promoted.stdout, promoted.stderr);
        let gates = serde_json::from_str::<serde_json::Value>(&promoted.stdout).expect("JSON").to_string();
        assert!(gates.contains(&format!(r#""demandedBy":[{by}]"#)), "{by}: {gates}");
    };
    demanded(r#""deployment/a0-prod""#);
    let file = world.project().join(".joch/cache/deployments-staging");
    let stored = fs::read(&file).expect("a table");
    assert!(stored.len() > 20_000, "it has several pages: {}", stored.len());
    // What little has changed is looked up beside it.
    let second = OWN_GUARD.replace("NAME", "a0-second");
    write(&world, "second.yaml", &second);
    done(&world, "joch apply -f second.yaml");
    demanded(r#""deployment/a0-prod","deployment/a0-second""#);
    assert_eq!(fs::read(&file).expect("a table"), stored, "nothing was written for one line");
    done(&world, "joch delete deployment a0-prod --env staging");
    demanded(r#""deployment/a0-second""#);
    // A page that somebody changed is not believed.
    let text = String::from_utf8(stored.clone()).expect("text");
    let forged = text.replace("\tdefault/a0-elsewhere", "\tdefault/b0-elsewhere");
    assert_eq!(forged.len(), stored.len());
    fs::write(&file, &forged).expect("own file");
    demanded(r#""deployment/a0-second""#);
    let anew = fs::read_to_string(&file).expect("a table");
    assert!(anew.contains("agent default/a0\tdefault/a0-second.yaml\n"), "it was derived anew");
    // What much has changed for is written as a whole.
    write(&world, "many.yaml", &(200..250).map(other).collect::<String>());
    done(&world, "joch apply -f many.yaml");
    demanded(r#""deployment/a0-second""#);
    assert!(fs::read_to_string(&file).expect("a table").contains("default/a0-elsewhere-249.yaml\n"));
}

/// A Deployment of `a0` to `prod` that asks for approval.
const OWN_GUARD: &str = "apiVersion: ops.joch.dev/v1alpha1\nkind: Deployment\nmetadata: { name: NAME }\nspec: { \
                         agentRef: { name: a0 }, environmentRef: { name: prod }, promotion: { requiresApproval: rm } }\n";

#[test]
fn where_nothing_can_be_kept_everything_is_derived() {
    let world = project("index-none");
    write(&world, "a0.yaml", &agent(0, 1));
    done(&world, "joch apply -f a0.yaml");
    let told = ask(&world);
    let cache = world.project().join(".joch/cache");
    for (how, line) in [
        ("a file where the cache belongs", ""),
        ("no home", "env -u HOME "),
        ("a home that is a file", "HOME=/dev/null "),
    ] {
        drop(fs::remove_dir_all(&cache));
        drop(fs::remove_file(&cache));
        fs::write(&cache, "").expect("own file");
        let listed = world.sh("alice", &format!("{line}joch agbom ls -o json"));
        assert_eq!((listed.code, &listed.stdout), (0, &told), "{how}: {}", listed.stderr);
    }
}

#[test]
fn those_who_ask_at_once_are_told_the_same() {
    let world = project("index-at-once");
    for number in 0..4 {
        write(&world, "one.yaml", &agent(number, 1));
        done(&world, "joch apply -f one.yaml");
    }
    let told = ask(&world);
    fs::remove_dir_all(world.project().join(".joch/cache")).expect("a cache");
    drop(fs::remove_dir_all(world.home("alice").join(".local")));
    let listed: Vec<_> = std::thread::scope(|scope| {
        let asked: Vec<_> = (0..6).map(|_| scope.spawn(|| world.sh("alice", "joch agbom ls -o json").stdout)).collect();
        asked.into_iter().map(|one| one.join().expect("an answer")).collect()
    });
    assert!(listed.iter().all(|one| *one == told), "{listed:#?}");
    let left: Vec<_> = tables(&world).into_keys().filter(|name| name.starts_with('.')).collect();
    assert_eq!(left, Vec::<String>::new());
    assert_eq!(json(&world, "joch agbom ls -o json")["items"].as_array().map(Vec::len), Some(4));
}
