//! An agency that finds no way to its tables says so, and comes when there is one.

use std::net::Ipv4Addr;

use agents::{OfTheHouse, Plays as _};
use metrics_exporter_prometheus::PrometheusBuilder;
use player::{
    Habits,
    connect::Dialer,
    guest::{Guest, NoToken, Tokens},
};
use protocol::{
    hosted::AiLevel,
    id::{RoomId, UserId},
};
use seats::{Job, Wanted};
use tokio::{
    net::TcpSocket,
    time::{Duration, sleep, timeout},
};

/// Tokens of one user, which nobody looks at here.
struct Any(UserId);

impl Tokens for Any {
    async fn guest(&self, name: &str) -> Result<Guest, NoToken> {
        let (user, name) = (self.0.clone(), name.to_owned());
        Ok(Guest { token: "token".into(), user, name, expires_ms: u64::MAX, refresh: None })
    }

    async fn refresh(&self, guest: &Guest) -> Result<Guest, NoToken> {
        Ok(guest.clone())
    }
}

#[tokio::test]
async fn an_agency_that_finds_no_way_to_its_tables_says_so() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let told = recorder.handle();
    let _recorded = metrics::set_default_local_recorder(&recorder);
    // A port that is taken, and at which nobody listens yet.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let address = socket.local_addr().unwrap();

    let dialer = Dialer::new(&format!("ws://{address}/ws")).unwrap();
    let user = UserId::new("bot-aaaaaaaaaaaa").unwrap();
    let wanted = Wanted { user, name: "Ada easy".into(), level: AiLevel::Easy, until_ms: u64::MAX };
    let job = Job { room: RoomId::new("t-x").unwrap(), wanted };
    let mut playing = OfTheHouse::new(dialer, Habits::default(), Any).play(job);
    let says = |least: u64| {
        let (told, line) = (told.clone(), "agency_unreachable_total ");
        async move {
            loop {
                let count = told.render().lines().find_map(|told| told.strip_prefix(line)?.parse().ok());
                if count.unwrap_or(0) >= least {
                    return;
                }
                sleep(Duration::from_millis(10)).await;
            }
        }
    };
    let counted = timeout(Duration::from_secs(30), async {
        tokio::select! { () = &mut playing => panic!("it gives up"), () = says(2) => {} }
    });
    counted.await.expect("it says so, and tries again");

    // Once somebody listens there it comes.
    let listener = socket.listen(1).unwrap();
    let comes = timeout(Duration::from_secs(30), async {
        tokio::select! { () = &mut playing => panic!("it gives up"), came = listener.accept() => came.unwrap() }
    });
    comes.await.expect("it comes");
}
