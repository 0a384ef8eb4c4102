//! The way to a house: whose certificates are believed where it is by TLS, and where the house's name leads.

use std::{
    fmt,
    future::{Ready, ready},
    io,
    net::{IpAddr, SocketAddr},
    path::Path,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    vec,
};

use futures_util::{FutureExt as _, future::Either};
use hyper_rustls::{ConfigBuilderExt as _, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::{HttpConnector, dns::Name};
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, pem, pem::PemObject as _},
    },
};
use tower_service::Service;

/// See the module. Cheap to clone; clones share the sessions that servers let them resume.
#[derive(Clone)]
pub struct Way {
    tls: Arc<ClientConfig>,
    names: Names,
}

/// Nobody can be believed.
#[derive(Debug, thiserror::Error)]
pub enum NoTrust {
    /// The system names no authority.
    #[error("no certificates of the system: {0}")]
    System(#[from] io::Error),
    /// The file holds none.
    #[error("{0} holds no certificates: {1}")]
    File(String, pem::Error),
}

impl Way {
    /// Without TLS: nobody is believed.
    pub fn plain() -> Self {
        Self::in_roots(RootCertStore::empty())
    }

    /// Believes the authorities that the system trusts.
    ///
    /// # Errors
    /// [`NoTrust`] when there are none.
    pub fn trusting_the_system() -> Result<Self, NoTrust> {
        let tls = any_version().with_native_roots()?.with_no_client_auth();
        Ok(Self { tls: Arc::new(tls), names: Names(None) })
    }

    /// Believes the authorities in a file of PEM, and no others.
    ///
    /// # Errors
    /// [`NoTrust`] when there are none.
    pub fn trusting(path: &Path) -> Result<Self, NoTrust> {
        let bad = |error| NoTrust::File(path.display().to_string(), error);
        let certificates = CertificateDer::pem_file_iter(path).map_err(bad)?;
        let certificates = certificates.collect::<Result<Vec<_>, _>>().map_err(bad)?;
        let mut roots = RootCertStore::empty();
        if roots.add_parsable_certificates(certificates).0 == 0 {
            return Err(bad(pem::Error::NoItemsFound));
        }
        Ok(Self::in_roots(roots))
    }

    /// Leads to this address, whatever a name stands for; certificates are still to be for the name.
    #[must_use]
    pub fn leading_to(self, address: Option<IpAddr>) -> Self {
        Self { names: Names(address), ..self }
    }

    fn in_roots(roots: RootCertStore) -> Self {
        let tls = any_version().with_root_certificates(roots).with_no_client_auth();
        Self { tls: Arc::new(tls), names: Names(None) }
    }

    pub(crate) async fn connect(&self, host: &str, port: u16) -> io::Result<TcpStream> {
        match self.names.0 {
            Some(address) => TcpStream::connect((address, port)).await,
            None => TcpStream::connect((host, port)).await,
        }
    }

    pub(crate) fn tls(&self) -> TlsConnector {
        self.tls.clone().into()
    }

    pub(crate) fn http(&self) -> HttpsConnector<HttpConnector<Names>> {
        let mut connector = HttpConnector::new_with_resolver(self.names);
        connector.enforce_http(false);
        let builder = HttpsConnectorBuilder::new().with_tls_config((*self.tls).clone());
        builder.https_or_http().enable_http1().wrap_connector(connector)
    }
}

impl fmt::Debug for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Way").field("names", &self.names).finish_non_exhaustive()
    }
}

fn any_version() -> ConfigBuilder<ClientConfig, WantsVerifier> {
    ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider speaks all versions")
}

/// Where names lead: all to one address, or as the system says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Names(Option<IpAddr>);

type Addresses = vec::IntoIter<SocketAddr>;
type Found = io::Result<Addresses>;

impl Service<Name> for Names {
    type Response = Addresses;
    type Error = io::Error;
    type Future = Either<Ready<Found>, Pin<Box<dyn Future<Output = Found> + Send>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Ports are put in by who asks.
    fn call(&mut self, name: Name) -> Self::Future {
        match self.0 {
            Some(address) => Either::Left(ready(Ok(vec![(address, 0).into()].into_iter()))),
            None => Either::Right(
                async move { Ok(lookup_host((name.as_str(), 0)).await?.collect::<Vec<_>>().into_iter()) }
                    .boxed(),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_certificates_is_none_to_go_by() {
        for (path, why) in
            [("/nowhere", "/nowhere"), (concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"), "no items found")]
        {
            let error = Way::trusting(Path::new(path)).unwrap_err().to_string();
            assert!(error.contains("holds no certificates") && error.contains(why), "{error}");
        }
    }

    #[tokio::test]
    async fn a_name_leads_where_it_is_told_to() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let way = Way::plain().leading_to(Some(at.ip()));
        let stream = way.connect("cards.invalid", at.port()).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), at);
        let found = Names(way.names.0).call("cards.invalid".parse().unwrap()).await.unwrap();
        assert_eq!(found.map(|address| address.ip()).collect::<Vec<_>>(), [at.ip()]);
        assert!(Way::plain().connect("cards.invalid", at.port()).await.is_err());
    }
}
