//! The file that names the providers, as JSON:
//!
//! ```json
//! {"public_url": "https://cards.example",
//!  "providers": [{"name": "google", "label": "Google", "issuer": "https://accounts.google.com",
//!                 "client_id": "...", "client_secret_file": "google.secret", "trust_email": true}]}
//! ```

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use axum::http::Uri;
use serde::Deserialize;

use super::{Bounds, Providers};
use crate::passwords::Secret;

/// Providers at most: a page shows all of them.
const PROVIDERS_MAX: usize = 16;

/// Whom people sign in by.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "People")]
pub struct OidcArgs {
    /// A file in JSON that names by whom people may sign in (OpenID Connect), beside passwords; docs/operations.md tells what stands in
    /// it. Needs a database
    #[arg(long = "oidc", env = "CARDHOUSE_OIDC", value_name = "FILE")]
    pub oidc: Option<PathBuf>,
}

/// What is wrong with the file.
#[derive(Debug, thiserror::Error)]
pub enum BadProviders {
    /// It cannot be read.
    #[error("cannot read {0}: {1}")]
    File(PathBuf, std::io::Error),
    /// It is not what it should be.
    #[error("{0}: {1}")]
    Form(PathBuf, String),
    /// Nobody could be asked over TLS.
    #[error("no certificates that this system trusts (Debian: ca-certificates): {0}")]
    NoRoots(String),
    /// There is nobody to sign in.
    #[error("--oidc is for a house that keeps people, and this one keeps nobody")]
    NoPeople,
}

/// A provider as the operator names it.
#[derive(Debug, Clone)]
pub struct Named {
    /// For addresses and programs.
    pub name: String,
    /// For people.
    pub label: String,
    /// For whom it speaks, to the letter.
    pub issuer: String,
    /// What it calls the house.
    pub client_id: String,
    /// By which it knows the house; some give none.
    pub client_secret: Option<Secret>,
    /// What is asked of it.
    pub scopes: Vec<String>,
    /// Whether an address that it has verified is its person's.
    pub trust_email: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    public_url: String,
    providers: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    label: Option<String>,
    issuer: String,
    client_id: String,
    client_secret: Option<Secret>,
    client_secret_file: Option<PathBuf>,
    scopes: Option<Vec<String>>,
    #[serde(default)]
    trust_email: bool,
}

impl OidcArgs {
    /// The providers that the file names; none without one.
    ///
    /// # Errors
    /// [`BadProviders`] says what to mend.
    pub fn providers(&self) -> Result<Providers, BadProviders> {
        let Some(path) = &self.oidc else { return Ok(Providers::default()) };
        let text = fs::read_to_string(path).map_err(|error| BadProviders::File(path.clone(), error))?;
        let (public_url, named) = read(path, &text)?;
        Providers::new(public_url, named, Bounds::default())
    }

    /// Whether anybody is named.
    ///
    /// # Errors
    /// When somebody is, where nobody is kept.
    pub fn check(&self, people: bool) -> Result<(), BadProviders> {
        if self.oidc.is_some() && !people { Err(BadProviders::NoPeople) } else { Ok(()) }
    }
}

fn read(path: &Path, text: &str) -> Result<(String, Vec<Named>), BadProviders> {
    let wrong = |what: String| BadProviders::Form(path.into(), what);
    // Not the text itself: there is a secret in it.
    let file: File = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
    let public_url = file.public_url.strip_suffix('/').unwrap_or(&file.public_url).to_owned();
    if !is_origin(&public_url) {
        return Err(wrong("public_url is where pages are opened, such as https://cards.example".into()));
    }
    if file.providers.len() > PROVIDERS_MAX {
        return Err(wrong(format!("there are more than {PROVIDERS_MAX} providers")));
    }
    let mut known = BTreeSet::new();
    let mut all = Vec::new();
    for entry in file.providers {
        let named = entry.named(path.parent().unwrap_or(Path::new("")), &wrong)?;
        if !known.insert(named.name.clone()) || !known.insert(named.issuer.clone()) {
            return Err(wrong(format!("{}: each name and issuer stands there once", named.name)));
        }
        all.push(named);
    }
    Ok((public_url, all))
}

impl Entry {
    fn named(self, folder: &Path, wrong: &impl Fn(String) -> BadProviders) -> Result<Named, BadProviders> {
        let name = self.name;
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let is_name = name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(is_plain);
        if !is_name || name.len() > 32 {
            return Err(wrong(
                "a provider's name has up to 32 characters of a-z, 0-9 and '-', and begins with a letter"
                    .into(),
            ));
        }
        let label = self.label.unwrap_or_else(|| name.clone());
        if label.trim().is_empty() || label.chars().count() > 40 || label.chars().any(char::is_control) {
            return Err(wrong(format!("{name}: a label has 1 to 40 characters")));
        }
        if !may_be_asked(&self.issuer) || self.issuer.contains(['?', '#']) {
            return Err(wrong(format!("{name}: an issuer is an address that begins with https://")));
        }
        if self.client_id.is_empty() {
            return Err(wrong(format!("{name}: the client_id is empty")));
        }
        let client_secret = match (self.client_secret, self.client_secret_file) {
            (Some(_), Some(_)) => {
                return Err(wrong(format!(
                    "{name}: client_secret and client_secret_file are not both given"
                )));
            }
            (secret, None) => secret,
            (None, Some(file)) => {
                let file = folder.join(file);
                let text = fs::read_to_string(&file).map_err(|error| BadProviders::File(file, error))?;
                Some(text.trim_end_matches(['\r', '\n']).to_owned().into())
            }
        };
        if client_secret.as_ref().is_some_and(|secret| secret.as_str().is_empty()) {
            return Err(wrong(format!("{name}: the client secret is empty")));
        }
        let mut scopes = self.scopes.unwrap_or_else(|| vec!["openid".into(), "profile".into()]);
        for needed in std::iter::once("openid").chain(self.trust_email.then_some("email")) {
            if !scopes.iter().any(|scope| scope == needed) {
                scopes.push(needed.into());
            }
        }
        let Self { issuer, client_id, trust_email, .. } = self;
        Ok(Named { name, label, issuer, client_id, client_secret, scopes, trust_email })
    }
}

fn parts(url: &str) -> Option<(bool, String)> {
    let uri: Uri = url.parse().ok()?;
    let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'))?;
    let host = authority.host();
    let is_here = host == "localhost"
        || host
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback());
    match uri.scheme_str()? {
        "https" => Some((true, uri.path().into())),
        "http" => Some((is_here, uri.path().into())),
        _ => None,
    }
}

/// Over TLS, or on this machine, where there is nobody between.
pub(super) fn may_be_asked(url: &str) -> bool {
    parts(url).is_some_and(|(may, _)| may)
}

/// Scheme, host and port alone; without TLS only where browsers keep cookies in spite of that, and providers send people back to.
fn is_origin(url: &str) -> bool {
    let has_path = url.splitn(4, '/').nth(3).is_some();
    !has_path && !url.contains(['?', '#']) && parts(url).is_some_and(|(may, path)| may && path == "/")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn file(change: impl FnOnce(&mut Value)) -> Result<(String, Vec<Named>), String> {
        let mut file = json!({ "public_url": "https://cards.example/", "providers": [
            { "name": "google", "issuer": "https://accounts.google.com", "client_id": "us", "client_secret": "s3cret" }] });
        change(&mut file);
        read(Path::new("/etc/oidc.json"), &file.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_provider_has_a_name_an_issuer_and_an_id_and_the_rest_is_usual() {
        let (public_url, all) = file(|_| {}).unwrap();
        let provider = &all[0];
        assert_eq!((public_url.as_str(), provider.label.as_str()), ("https://cards.example", "google"));
        assert_eq!((provider.scopes.join(" ").as_str(), provider.trust_email), ("openid profile", false));
        assert!(!format!("{provider:?}").contains("s3cret"));
        let trusted = file(|file| file["providers"][0]["trust_email"] = json!(true)).unwrap().1;
        assert_eq!(trusted[0].scopes.join(" "), "openid profile email");
    }

    #[test]
    fn what_is_wrong_is_said_and_no_secret_with_it() {
        let provider =
            |field: &'static str, value: Value| file(move |file| file["providers"][0][field] = value);
        for (wrong, why) in [
            (provider("name", json!("Google")), "begins with a letter"),
            (provider("label", json!("")), "a label has"),
            (provider("issuer", json!("http://accounts.google.com")), "begins with https://"),
            (provider("issuer", json!("https://accounts.google.com?x")), "begins with https://"),
            (provider("issuer", json!("https://user@accounts.google.com")), "begins with https://"),
            (provider("client_id", json!("")), "client_id is empty"),
            (provider("client_secret", json!("")), "secret is empty"),
            (provider("client_secret_file", json!("x")), "not both given"),
            (provider("redirect", json!("x")), "unknown field"),
            (file(|file| file["public_url"] = json!("http://cards.example")), "public_url is where"),
            (file(|file| file["public_url"] = json!("https://cards.example/house")), "public_url is where"),
            (
                file(|file| file["providers"] = json!([file["providers"][0], file["providers"][0]])),
                "stands there once",
            ),
        ] {
            let told = wrong.unwrap_err();
            assert!(told.contains(why) && told.contains("oidc.json") && !told.contains("s3cret"), "{told}");
        }
        assert!(provider("issuer", json!("http://127.0.0.1:4000/a")).is_ok(), "on this machine");
        assert!(file(|file| file["public_url"] = json!("http://localhost:8080")).is_ok());
    }

    #[test]
    fn a_secret_may_lie_in_a_file_beside() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("google.secret"), "s3cret\n").unwrap();
        let text = json!({ "public_url": "https://cards.example", "providers": [
            { "name": "google", "issuer": "https://a.example", "client_id": "us", "client_secret_file": "google.secret" }] });
        let (_, all) = read(&folder.path().join("oidc.json"), &text.to_string()).unwrap();
        assert_eq!(all[0].client_secret.as_ref().unwrap().as_str(), "s3cret");
        fs::remove_file(folder.path().join("google.secret")).unwrap();
        assert!(read(&folder.path().join("oidc.json"), &text.to_string()).is_err());
    }
}
