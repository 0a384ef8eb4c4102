//! Where a relay listens, and whose word it takes for who somebody is.

use clap::Args;
use hyper::Uri;
use ops::listen::Address;

/// See the module.
#[derive(Debug, Clone, Args)]
pub struct DoorArgs {
    /// Where to listen: 8081 is for this machine alone, :8081 for everybody, 127.0.0.1:8081, `[::]:8081` and localhost:8081 are what
    /// they say; port 0 takes any free one, told in the log
    #[arg(long, env = "CARDHOUSE_RELAY_LISTEN", default_value = "127.0.0.1:8081", value_name = "ADDRESS")]
    pub listen: Address,
    /// Where reception publishes the keys that tokens are checked with
    #[arg(
        long,
        env = "CARDHOUSE_JWKS_URL",
        default_value = "http://127.0.0.1:8090/.well-known/jwks.json",
        value_name = "URL",
        value_parser = http_url
    )]
    pub jwks_url: Uri,
}

/// Keys are fetched in the cluster's own network, without TLS.
fn http_url(text: &str) -> Result<Uri, String> {
    let url: Option<Uri> = text.parse().ok();
    let is_http =
        |url: &Uri| url.scheme_str() == Some("http") && url.host().is_some_and(|host| !host.is_empty());
    url.filter(is_http)
        .ok_or_else(|| "it must be a URL such as http://127.0.0.1:8090/.well-known/jwks.json".into())
}
