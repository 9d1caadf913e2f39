//! Reads the settings in the current folder the way that Stoat's programs do, by the crate that they do it with, and prints
//! as JSON what it read and which keys it knows nothing of.
use serde_json::{json, Value};

macro_rules! read {
    ($release:ident) => {{
        let config = futures::executor::block_on($release::read());
        let read: Value = config.clone().try_deserialize().expect("a tree");
        let mut ignored = Vec::new();
        let settings: Result<$release::Settings, _> =
            serde_ignored::deserialize(config, |path| ignored.push(path.to_string()));
        settings.expect("settings");
        json!({ "read": read, "ignored": ignored })
    }};
}

fn main() {
    let found = match std::env::args().nth(1).as_deref() {
        Some("stoat") => read!(stoat),
        Some("next") => read!(next),
        other => panic!("no release {other:?}"),
    };
    println!("{found}");
}
