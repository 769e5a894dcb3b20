//! `tyrctl metrics`: what a Prometheus would read.

use serde::Serialize;

use super::Outcome;
use crate::app::App;
use crate::args::{Format, MetricsArgs};
use crate::error::Failure;
use crate::output::rows::{Column, View};
use crate::output::value::Value;

/// One value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Sample {
    name: String,
    /// As in the text: `verdict="deny",kind="exec"`.
    labels: String,
    value: String,
    #[serde(rename = "type")]
    kind: String,
    help: String,
}

pub(crate) const VIEW: View<Sample> = View {
    noun: "metrics",
    name: |sample| sample.name.clone(),
    columns: &[
        Column::new("name", |sample| Value::text(&sample.name)),
        Column::new("labels", |sample| Value::text(&sample.labels)),
        Column::new("value", |sample| Value::text(&sample.value)),
        Column::wide("type", |sample| Value::text(&sample.kind)),
        Column::wide_flexible("help", |sample| Value::text(&sample.help)),
    ],
};

/// `metrics [--filter PREFIX]`.
pub(super) async fn run(app: &App, args: &MetricsArgs) -> Result<Outcome, Failure> {
    let text = app.client()?.metrics().await?;
    let prefix = args.filter.as_deref().unwrap_or_default();
    // Nothing that a list can do was asked for: the text itself.
    if app.out.format == Format::Table && args.list.columns.is_empty() && args.list.sort.is_empty() {
        let mut found = 0;
        for line in text.lines().filter(|line| name_of(line).starts_with(prefix)) {
            let is_value = !line.starts_with('#');
            found += usize::from(is_value);
            if (is_value || !args.list.no_headers) && args.list.limit.is_none_or(|limit| limit == 0 || found <= limit) {
                app.out.line(line)?;
            }
        }
        if found == 0 {
            app.out.note(&none(prefix));
        }
        let holds = args.list.fail_on_any && found > 0 || args.list.fail_on_none && found == 0;
        return Ok(if holds { Outcome::ConditionHolds } else { Outcome::Done });
    }
    let samples = samples(&text).into_iter().filter(|sample| sample.name.starts_with(prefix)).collect();
    VIEW.print(&app.out, &args.list, samples, &none(prefix))
}

fn none(prefix: &str) -> String {
    if prefix.is_empty() { "no metrics".to_owned() } else { format!("no metrics whose name begins with `{prefix}`") }
}

/// The name that a line is about.
fn name_of(line: &str) -> &str {
    match line.strip_prefix("# ") {
        Some(comment) => comment.split(' ').nth(1).unwrap_or_default(),
        None => line.split(['{', ' ']).next().unwrap_or_default(),
    }
}

/// The values of a text in format 0.0.4.
fn samples(text: &str) -> Vec<Sample> {
    let (mut help, mut kind) = (String::new(), String::new());
    let mut samples = Vec::new();
    for line in text.lines() {
        if let Some(comment) = line.strip_prefix("# HELP ") {
            comment.split_once(' ').map_or("", |(_, help)| help).clone_into(&mut help);
        } else if let Some(comment) = line.strip_prefix("# TYPE ") {
            comment.split_once(' ').map_or("", |(_, kind)| kind).clone_into(&mut kind);
        } else if !line.starts_with('#')
            && let Some((series, value)) = line.rsplit_once(' ')
        {
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            samples.push(Sample {
                name: name.to_owned(),
                labels: labels.strip_suffix('}').unwrap_or(labels).to_owned(),
                value: value.to_owned(),
                kind: kind.clone(),
                help: help.clone(),
            });
        }
    }
    samples
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_values_with_and_without_labels() {
        let text = "# HELP a_total All a.\n# TYPE a_total counter\na_total{b=\"x y\",c=\"}\"} 3\na_total 4\n# TYPE d gauge\nd 1.5\n";
        let found: Vec<_> =
            samples(text).into_iter().map(|sample| (sample.name, sample.labels, sample.value, sample.kind)).collect();
        let row = |name: &str, labels: &str, value: &str, kind: &str| {
            (name.to_owned(), labels.to_owned(), value.to_owned(), kind.to_owned())
        };
        assert_eq!(
            found,
            [
                row("a_total", "b=\"x y\",c=\"}\"", "3", "counter"),
                row("a_total", "", "4", "counter"),
                row("d", "", "1.5", "gauge")
            ]
        );
        assert_eq!(name_of("# TYPE a_total counter"), "a_total");
        assert_eq!(name_of("a_total{b=\"c\"} 3"), "a_total");
    }
}
