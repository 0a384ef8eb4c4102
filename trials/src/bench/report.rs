//! The report: one HTML file with the figures in tables and plots that need nothing from elsewhere.

use std::fmt::Write as _;

use anyhow::anyhow;
use plotters::prelude::*;

use super::{Grown, Results, figures::Curve, figures::Summary, machine::Machine};

/// A plot, pixels.
const SIZE: (u32, u32) = (860, 380);

/// One colour a series; told apart by people who do not tell red from green.
const COLOURS: [RGBColor; 4] =
    [RGBColor(0, 114, 178), RGBColor(230, 159, 0), RGBColor(0, 158, 115), RGBColor(204, 121, 167)];

/// The processes whose CPU makes up a delivery.
const PARTS: [&str; 3] = ["relays", "worker", "redis"];

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:920px;margin:2em auto;padding:0 1em;color:#222}\
table{border-collapse:collapse;width:100%;font-size:14px;margin:1em 0}td,th{padding:2px 8px;text-align:right;border-bottom:1px solid #ddd}\
td:first-child,th:first-child{text-align:left;font-family:ui-monospace,monospace}svg{max-width:100%;height:auto}small{color:#555}";

/// What each workload does, for whoever has not read anything else.
fn explained(workload: &str) -> &'static str {
    match workload {
        "ceiling" => {
            "What the load generator could receive if the servers did next to nothing: the bound on all else here."
        }
        "idle" => {
            "Authenticated connections that have joined the lobby and say nothing. The floor is a plain TCP connection held by a task."
        }
        "tables" => {
            "Real hold'em, journaled, at a steady pace of accepted actions. A delivery is one frame at one player's socket. The floor is what \
             a command and its frame take through Redis alone: two publications."
        }
        "money" => {
            "Buy-ins at tables that are played for what is somebody's: from when a player was due to come to when he heard that he sits. The floor \
             is one write of 4 kB to the same disk."
        }
        "lobby" => {
            "Viewers of a lobby, each with a page of it, while tables change. The floor writes frames of the same size to as many plain TCP sockets."
        }
        "rail" => {
            "One table before thousands of spectators. The floor writes frames of the same size to as many plain TCP sockets, without \
             WebSocket, session, journal or Redis."
        }
        "rights" => {
            "Users are banned while their sockets are open at three relays: the time from the ban to the close of each socket, of one user after the \
             other, of all at once, and of all at once when no relay hears the news."
        }
        "return" => {
            "All seated players are cut off at once and come back with resume. The floor opens as many bare WebSockets and checks a \
             token on each."
        }
        _ => "",
    }
}

/// The whole file.
///
/// # Errors
/// When a plot cannot be drawn.
pub fn html(results: &Results, machine: &Machine) -> anyhow::Result<String> {
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Cardhouse: performance</title><style>{STYLE}</style>\
         <h1>Cardhouse: performance</h1><p>Product and floor were measured in the same runs, from outside, on one machine that also ran the \
         load generator. Figures are medians with least and most. A ratio of 1 would be the floor itself.</p><p><small>{}</small></p>",
        escape(&machine.to_string())
    );
    for (name, summary) in &results.workloads {
        let _ = write!(page, "<h2>{name}</h2><p>{}</p>", explained(name));
        if !summary.latency.is_empty() {
            page.push_str(&latency_plot(&summary.latency)?);
        }
        if summary.median("relays_cpu_us_per_delivery").is_some() {
            let bars = [("product".to_owned(), summary)];
            page.push_str(&cost_plot("CPU per delivery by process", &bars)?);
        }
        page.push_str(&table(summary));
    }
    if !results.growth.is_empty() {
        page.push_str(
            "<h2>growth</h2><p>The same work spread over more relays, or more tables. Flat is good.</p>",
        );
        let label = |grown: &Grown| format!("{} relays, {} tables", grown.relays, grown.tables);
        let bars: Vec<_> = results.growth.iter().map(|grown| (label(grown), &grown.summary)).collect();
        page.push_str(&cost_plot("CPU per delivery as relays and tables are added", &bars)?);
    }
    page.push_str("</html>\n");
    Ok(page)
}

fn table(summary: &Summary) -> String {
    let mut rows =
        String::from("<table><tr><th>figure</th><th>product</th><th>floor</th><th>ratio</th></tr>");
    let names = summary
        .figures
        .keys()
        .chain(summary.floor.keys().filter(|name| !summary.figures.contains_key(*name)));
    for name in names {
        let show = |of: &std::collections::BTreeMap<String, super::figures::Spread>| {
            of.get(name).map_or_else(String::new, ToString::to_string)
        };
        let ratio = summary.ratio.get(name).map_or_else(String::new, |ratio| format!("{:.2}", ratio.median));
        let _ = write!(
            rows,
            "<tr><td>{name}</td><td>{}</td><td>{}</td><td>{ratio}</td></tr>",
            show(&summary.figures),
            show(&summary.floor)
        );
    }
    rows.push_str("</table>");
    rows
}

/// How slow the slowest are: the share of deliveries that take longer, each step a tenth of the one before.
fn latency_plot(curves: &[Curve]) -> anyhow::Result<String> {
    let mut svg = String::new();
    let points = || curves.iter().flat_map(|curve| curve.points.iter());
    let most = points().map(|(_, us)| *us).max().unwrap_or(1).max(10) as f64;
    let least = points().map(|(_, us)| *us).min().unwrap_or(1).max(1) as f64;
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let mut chart = ChartBuilder::on(&area)
            .caption("Latency: microseconds within which a share of deliveries arrived", ("sans-serif", 16))
            .margin(10)
            // Half of the last label lies beyond the axis.
            .margin_right(40)
            .x_label_area_size(36)
            .y_label_area_size(70)
            .build_cartesian_2d(0.0..5.0, (least..most * 1.2).log_scale())
            .map_err(|error| anyhow!("{error}"))?;
        chart
            .configure_mesh()
            .x_desc("share of deliveries")
            .y_desc("microseconds")
            .x_labels(6)
            .x_label_formatter(&|nines| {
                format!("{:.5}", 1.0 - 10_f64.powf(-nines))
                    .trim_end_matches('0')
                    .trim_end_matches('.')
                    .to_owned()
            })
            .y_labels(4)
            .y_label_formatter(&|us| format!("{us:.0}"))
            .draw()
            .map_err(|error| anyhow!("{error}"))?;
        for (curve, colour) in curves.iter().zip(COLOURS.iter().cycle()) {
            let line = curve
                .points
                .iter()
                .filter(|(share, _)| *share < 1.0)
                .map(|(share, us)| (-(1.0 - share).log10(), (*us).max(1) as f64));
            chart
                .draw_series(LineSeries::new(line, colour.stroke_width(2)))
                .map_err(|error| anyhow!("{error}"))?
                .label(curve.name.clone())
                .legend(|(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
        }
        chart
            .configure_series_labels()
            // Curves rise to the right: nothing lies under their end.
            .position(SeriesLabelPosition::LowerRight)
            .border_style(BLACK.mix(0.3))
            .background_style(WHITE.mix(0.8))
            .draw()
            .map_err(|error| anyhow!("{error}"))?;
        area.present().map_err(|error| anyhow!("{error}"))?;
    }
    Ok(svg)
}

/// Bars of relays, worker and Redis on top of each other.
fn cost_plot(title: &str, bars: &[(String, &Summary)]) -> anyhow::Result<String> {
    let part =
        |summary: &Summary, part: &str| summary.median(&format!("{part}_cpu_us_per_delivery")).unwrap_or(0.0);
    let whole = |summary: &Summary| PARTS.iter().map(|name| part(summary, name)).sum::<f64>();
    let most = bars.iter().map(|(_, summary)| whole(summary)).fold(1.0, f64::max);
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let mut chart = ChartBuilder::on(&area)
            .caption(title, ("sans-serif", 16))
            .margin(10)
            .x_label_area_size(36)
            .y_label_area_size(60)
            .build_cartesian_2d(0.0..bars.len() as f64, 0.0..most * 1.35)
            .map_err(|error| anyhow!("{error}"))?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .x_labels(bars.len() * 2 + 1)
            .x_label_formatter(&|x| {
                let index = *x as usize;
                let is_middle = (x - index as f64 - 0.5).abs() < 0.01;
                bars.get(index).filter(|_| is_middle).map_or_else(String::new, |(label, _)| label.clone())
            })
            .y_desc("CPU, microseconds")
            .draw()
            .map_err(|error| anyhow!("{error}"))?;
        for (number, name) in PARTS.iter().enumerate() {
            let colour = COLOURS[number];
            let boxes = bars.iter().enumerate().map(|(index, (_, summary))| {
                let from: f64 = PARTS[..number].iter().map(|below| part(summary, below)).sum();
                let to = from + part(summary, name);
                Rectangle::new([(index as f64 + 0.25, from), (index as f64 + 0.75, to)], colour.filled())
            });
            chart
                .draw_series(boxes)
                .map_err(|error| anyhow!("{error}"))?
                .label(*name)
                .legend(move |(x, y)| Rectangle::new([(x, y - 5), (x + 12, y + 5)], colour.filled()));
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperRight)
            .border_style(BLACK.mix(0.3))
            .background_style(WHITE.mix(0.8))
            .draw()
            .map_err(|error| anyhow!("{error}"))?;
        area.present().map_err(|error| anyhow!("{error}"))?;
    }
    Ok(svg)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
