//! Results as one page of HTML that needs nothing else: no script, no font, no picture from elsewhere, and a policy
//! that forbids them. It is well-formed XML too. What others wrote is text on it and nothing more.

use std::fmt::Write as _;

use crate::eval::{Decimal, MetricResult, RunResult, Verdict};
use crate::render::escape::{cut, escape_lines, html_text as text};
use crate::render::view::EvalResult;

use super::style::STYLE;
use super::{Batch, Open, Told, against, cases, figures, spark, worst};

/// Nothing is loaded, sent or run.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
/// How many cases are told in full, and how many stand in the table of all.
const TOLD: usize = 200;
const LISTED: usize = 2_000;
/// How many metrics that table has columns for.
const COLUMNS: usize = 8;
/// How much of an answer, and of any other text, is told.
const ANSWER: usize = 8_000;
const SENTENCE: usize = 1_000;

/// The page.
pub(super) fn page(batch: &Batch<'_>) -> String {
    let (results, open) = (&batch.results, batch.open());
    let verdict = figures::verdict(batch.verdict());
    let title = match results[..] {
        [one] if open.is_empty() => format!("{verdict}: {}", figures::title(&one.result)),
        _ => format!("{verdict}: {}", figures::counted((results.len() + open.len()) as u64, "eval")),
    };
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{}\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <meta name=\"referrer\" content=\"no-referrer\"/>\n\
         <title>{}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n",
        text(POLICY),
        text(&cut(&title, SENTENCE))
    );
    if let ([one], []) = (&results[..], &open[..]) {
        add(&mut out, format_args!("<h1>{}</h1>\n", heading(&one.result)));
        section(one, 0, &mut out);
    } else {
        contents(results, &open, &title, &mut out);
        for (at, result) in results.iter().enumerate() {
            add(
                &mut out,
                format_args!(
                    "<section aria-labelledby=\"run{at}\">\n<h2 id=\"run{at}\">{}</h2>\n",
                    heading(&result.result)
                ),
            );
            section(result, at, &mut out);
            out.push_str("</section>\n");
        }
    }
    add(
        &mut out,
        format_args!("</main>\n<footer class=\"soft\">joch {}</footer>\n</body>\n</html>\n", env!("CARGO_PKG_VERSION")),
    );
    out
}

fn contents(results: &[&EvalResult], open: &[Open], title: &str, out: &mut String) {
    add(out, format_args!("<h1>{}</h1>\n<nav aria-label=\"Evals\">\n<ul>\n", text(title)));
    for open in open {
        let mark = if open.is_expected { "part".to_owned() } else { mark(Some(Verdict::Inconclusive)) };
        let (title, message) = (text(&cut(&open.title, SENTENCE)), text(&cut(&open.message, SENTENCE)));
        add(out, format_args!("<li>{mark} {title}: {message}</li>\n"));
    }
    for (at, result) in results.iter().enumerate() {
        let title = text(&cut(&figures::title(&result.result), SENTENCE));
        add(out, format_args!("<li>{} <a href=\"#run{at}\">{title}</a></li>\n", mark(Some(result.result.verdict))));
    }
    out.push_str("</ul>\n</nav>\n");
}

fn heading(result: &RunResult) -> String {
    format!("{} {}", mark(Some(result.verdict)), text(&cut(&figures::title(result), SENTENCE)))
}

fn section(view: &EvalResult, number: usize, out: &mut String) {
    let result = &view.result;
    list("Reasons", &result.reasons, out);
    facts(view, out);
    out.push_str("<h3>Metrics</h3>\n");
    metrics(view, out);
    worse(view, out);
    told_cases(&worst(result), number, out);
    earlier(view, out);
    all_cases(result, out);
    provenance(result, out);
}

fn facts(view: &EvalResult, out: &mut String) {
    let result = &view.result;
    let mut rows = vec![
        ("Dataset", figures::dataset(result)),
        ("Trials", figures::counts(result)),
        ("Cost", figures::cost(&result.cost)),
    ];
    rows.extend(result.runner.finished_at.map(|at| ("Finished", figures::time(at))));
    rows.extend(figures::run_time(result).map(|taken| ("Took", taken)));
    rows.extend(result.judges.iter().map(|judge| {
        let agreement =
            judge.agreement.map_or_else(String::new, |share| format!(", agreement {}", figures::number(share, &[])));
        ("Judge", format!("{} as {}{agreement}", judge.asked.model, judge.reported.join(", ")))
    }));
    rows.extend(view.against.as_ref().map(|other| ("Against", against::what(other))));
    rows.extend(view.evidence.clone().map(|evidence| ("Evidence", evidence)));
    definitions(&rows, out);
}

fn provenance(result: &RunResult, out: &mut String) {
    out.push_str("<details>\n<summary>What this result is bound to</summary>\n");
    let mut rows = vec![
        ("Run", result.run.clone()),
        ("Agent", format!("{} {}", result.subject.agent.full(), result.subject.digest)),
        ("Eval", format!("{} {}", result.eval.id.full(), result.eval.digest)),
        ("Dataset", result.dataset.digest.to_string()),
        ("Reached by", format!("{}, {} {}", result.reach.protocol, result.reach.by, result.reach.digest)),
        ("Journal", result.runner.journal.to_string()),
        ("joch", result.runner.joch.clone()),
    ];
    rows.extend(result.judges.iter().map(|judge| ("Judge's words", judge.asked.prompt.to_string())));
    definitions(&rows, out);
    out.push_str("</details>\n");
}

fn definitions(rows: &[(&str, String)], out: &mut String) {
    out.push_str("<dl>\n");
    for (label, value) in rows {
        add(out, format_args!("<dt>{label}</dt><dd>{}</dd>\n", text(&cut(value, SENTENCE))));
    }
    out.push_str("</dl>\n");
}

fn metrics(view: &EvalResult, out: &mut String) {
    let trends = !view.earlier.is_empty();
    let mut headings =
        vec![("Metric", ""), ("Value", "number"), ("95 %", "number"), ("Threshold", ""), ("Verdict", "")];
    headings.extend(view.against.is_some().then_some(("Change", "number")));
    headings.extend(trends.then_some(("Trend", "")));
    headings.push(("Cases", "number"));
    table("What was measured", &headings, out);
    for metric in &view.result.metrics {
        let reason = metric
            .reason
            .iter()
            .chain(&metric.notes)
            .map(|said| format!("<br/>{}", text(&cut(said, SENTENCE))))
            .collect::<String>();
        let close = if metric.close { "<br/><span class=\"soft\">close: chance might have decided</span>" } else { "" };
        add(
            out,
            format_args!(
                "<tr><th scope=\"row\">{} <span class=\"soft\">{}</span></th>",
                text(&cut(&metric.name, SENTENCE)),
                text(&metric.aggregate)
            ),
        );
        add(
            out,
            format_args!(
                "<td class=\"number\">{}</td><td class=\"number\">{}</td>",
                text(&figures::value(metric)),
                text(&figures::interval(metric))
            ),
        );
        add(
            out,
            format_args!(
                "<td>{}</td><td>{}{close}{reason}</td>",
                text(metric.threshold.as_deref().unwrap_or("-")),
                mark(metric.verdict)
            ),
        );
        if let Some(other) = &view.against {
            let told = against::of(other, &metric.name);
            add(out, format_args!("<td class=\"number\">{}</td>", text(&told)));
        }
        if trends {
            add(out, format_args!("<td>{}</td>", trend(view, metric)));
        }
        add(out, format_args!("<td class=\"number\">{}</td></tr>\n", metric.n));
    }
    out.push_str("</tbody>\n</table>\n</div>\n");
}

/// What is worse than with the other version, and in which cases.
fn worse(view: &EvalResult, out: &mut String) {
    let Some(other) = &view.against else { return };
    let regressions = against::regressions(other);
    if regressions.is_empty() {
        return;
    }
    add(out, format_args!("<h3>Worse than {}</h3>\n<ul>\n", text(&cut(&against::what(other), SENTENCE))));
    for delta in regressions {
        let verdict = delta.verdict.map_or_else(String::new, |verdict| format!("{} ", mark(Some(verdict))));
        let said =
            [vec![format!("{} {}", delta.name, against::told(delta))], against::weighed(delta)].concat().join("; ");
        add(out, format_args!("<li>{verdict}{}", text(&cut(&said, SENTENCE))));
        let cases: Vec<_> = delta.worse.iter().map(against::case).collect();
        if !cases.is_empty() {
            add(out, format_args!("<br/><span class=\"soft\">{}</span>", text(&cut(&cases.join(", "), SENTENCE))));
        }
        out.push_str("</li>\n");
    }
    out.push_str("</ul>\n");
}

/// The drawing of a metric over the runs that have it, this one last.
fn trend(view: &EvalResult, metric: &MetricResult) -> String {
    let before = view.earlier.iter().filter_map(|earlier| earlier.metrics.get(&metric.name).copied());
    let values: Vec<Decimal> = before.chain(metric.value).collect();
    let svg = if metric.value.is_some() { spark::svg(&values) } else { String::new() };
    if svg.is_empty() { "-".to_owned() } else { svg }
}

fn told_cases(worst: &[Told<'_>], number: usize, out: &mut String) {
    if worst.is_empty() {
        return;
    }
    add(out, format_args!("<h3 id=\"cases{number}\">Worst cases</h3>\n"));
    for (at, told) in worst.iter().take(TOLD).enumerate() {
        // The first few are open: whoever looks for what went wrong sees it without a click.
        let open = if at < 3 { " open=\"open\"" } else { "" };
        let tags = told.case.tags.join(", ");
        add(out, format_args!("<details{open}>\n<summary>{}", text(&cut(&told.case.id, SENTENCE))));
        if !tags.is_empty() {
            add(out, format_args!(" <span class=\"soft\">{}</span>", text(&cut(&tags, SENTENCE))));
        }
        out.push_str("</summary>\n<ul>\n");
        for phrase in told.phrases() {
            add(out, format_args!("<li>{}</li>\n", text(&cut(&phrase, SENTENCE))));
        }
        out.push_str("</ul>\n");
        if let Some(output) = told.output() {
            add(
                out,
                format_args!(
                    "<pre tabindex=\"0\" aria-label=\"answer\">{}</pre>\n",
                    text(&escape_lines(&cut(output, ANSWER)))
                ),
            );
        }
        out.push_str("</details>\n");
    }
    if worst.len() > TOLD {
        add(out, format_args!("<p>{} more cases are not shown here.</p>\n", worst.len() - TOLD));
    }
}

fn earlier(view: &EvalResult, out: &mut String) {
    if view.earlier.is_empty() {
        return;
    }
    out.push_str("<h3>Earlier runs</h3>\n");
    let names: Vec<&str> = view.result.metrics.iter().take(COLUMNS).map(|metric| metric.name.as_str()).collect();
    let names: Vec<String> = names.into_iter().map(|name| text(&cut(name, SENTENCE))).collect();
    let mut headings = vec![("Finished", ""), ("Version", ""), ("Environment", ""), ("Verdict", "")];
    headings.extend(names.iter().map(|name| (name.as_str(), "number")));
    table("Newest first", &headings, out);
    for earlier in view.earlier.iter().rev() {
        let at = earlier.at.map_or_else(|| "-".to_owned(), figures::time);
        let version = earlier.version.map_or_else(|| "-".to_owned(), |version| format!("v{version}"));
        add(
            out,
            format_args!(
                "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td>",
                text(&at),
                text(&version),
                text(&earlier.environment)
            ),
        );
        add(out, format_args!("<td>{}</td>", mark(Some(earlier.verdict))));
        for metric in view.result.metrics.iter().take(COLUMNS) {
            let value =
                earlier.metrics.get(&metric.name).map_or_else(|| "-".to_owned(), |value| figures::number(*value, &[]));
            add(out, format_args!("<td class=\"number\">{}</td>", text(&value)));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table>\n</div>\n");
}

fn all_cases(result: &RunResult, out: &mut String) {
    if result.cases.is_empty() {
        return;
    }
    add(
        out,
        format_args!("<details>\n<summary>All {}</summary>\n", figures::counted(result.cases.len() as u64, "case")),
    );
    let names: Vec<String> =
        result.metrics.iter().take(COLUMNS).map(|metric| text(&cut(&metric.name, SENTENCE))).collect();
    let mut headings = vec![("Case", ""), ("Tags", "")];
    headings.extend(names.iter().map(|name| (name.as_str(), "number")));
    headings.push(("Answer", ""));
    table("In the order of the dataset", &headings, out);
    for case in result.cases.iter().take(LISTED) {
        add(
            out,
            format_args!(
                "<tr><th scope=\"row\">{}</th><td>{}</td>",
                text(&cut(&case.id, SENTENCE)),
                text(&cut(&case.tags.join(", "), SENTENCE))
            ),
        );
        for metric in result.metrics.iter().take(COLUMNS) {
            let value =
                cases::value(case, &metric.name).map_or_else(|| "-".to_owned(), |value| figures::number(value, &[]));
            add(out, format_args!("<td class=\"number\">{}</td>", text(&value)));
        }
        let faults: Vec<_> = case.trials.iter().filter_map(|trial| trial.fault.map(cases::fault_word)).collect();
        let answer = if case.trials.is_empty() {
            "not run".to_owned()
        } else if faults.is_empty() {
            "yes".to_owned()
        } else {
            faults.join(", ")
        };
        add(out, format_args!("<td>{}</td></tr>\n", text(&answer)));
    }
    out.push_str("</tbody>\n</table>\n</div>\n");
    if result.cases.len() > LISTED {
        add(out, format_args!("<p>{} more cases are not shown here.</p>\n", result.cases.len() - LISTED));
    }
    out.push_str("</details>\n");
}

fn list(heading: &str, lines: &[String], out: &mut String) {
    if lines.is_empty() {
        return;
    }
    add(out, format_args!("<ul aria-label=\"{heading}\">\n"));
    for line in lines {
        add(out, format_args!("<li>{}</li>\n", text(&cut(line, SENTENCE))));
    }
    out.push_str("</ul>\n");
}

/// The beginning of a table: headings are HTML already. Wide ones scroll, also by keyboard.
fn table(caption: &str, headings: &[(&str, &str)], out: &mut String) {
    add(
        out,
        format_args!(
            "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{caption}\">\n<table>\n<caption>{caption}</caption>\n<thead><tr>"
        ),
    );
    for (heading, class) in headings {
        add(out, format_args!("<th scope=\"col\" class=\"{class}\">{heading}</th>"));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
}

/// The verdict as a sign and a word; colour only repeats it.
fn mark(verdict: Option<Verdict>) -> String {
    let Some(verdict) = verdict else { return "-".to_owned() };
    let (sign, word) = match verdict {
        Verdict::Passed => ("✓", "passed"),
        Verdict::Failed => ("✗", "failed"),
        Verdict::Inconclusive => ("?", "inconclusive"),
    };
    format!("<span class=\"verdict {word}\"><span aria-hidden=\"true\">{sign}</span> {word}</span>")
}

fn add(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a String takes all");
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::{Earlier, sample};
    use super::*;

    fn full(result: RunResult) -> EvalResult {
        let mut view = EvalResult::new(result);
        view.evidence = Some("sha256:0123".to_owned());
        view.against = Some(sample::comparison());
        let earlier = |version: u64, value: &str| Earlier {
            run: format!("r{version}"),
            at: Some(sample::moment("01:00:00")),
            version: Some(version),
            environment: "staging".to_owned(),
            verdict: Verdict::Passed,
            metrics: BTreeMap::from([("task_success".to_owned(), sample::decimal(value))]),
        };
        view.earlier = vec![earlier(6, "0.9"), earlier(7, "0.92")];
        view
    }

    /// A name, and attributes with their values.
    type Element = (String, Vec<(String, String)>);

    /// The elements and attributes of a page, as an independent reader of XML sees them; and its text.
    fn read(page: &str) -> (Vec<Element>, String) {
        use quick_xml::events::Event;
        let mut reader = quick_xml::Reader::from_str(page);
        let (mut elements, mut said) = (Vec::new(), String::new());
        loop {
            match reader.read_event().expect("well-formed") {
                Event::Eof => break,
                Event::Start(tag) | Event::Empty(tag) => {
                    let name = String::from_utf8_lossy(tag.name().as_ref()).into_owned();
                    let attributes = tag.attributes().map(|attribute| {
                        let attribute = attribute.expect("well-formed");
                        let key = String::from_utf8_lossy(attribute.key.as_ref()).into_owned();
                        (key, String::from_utf8_lossy(&attribute.value).into_owned())
                    });
                    let attributes = attributes.collect();
                    elements.push((name, attributes));
                }
                Event::Text(text) => said.push_str(&String::from_utf8_lossy(&text)),
                _ => {}
            }
        }
        (elements, said)
    }

    #[test]
    fn a_page_loads_nothing_and_runs_nothing_whatever_a_model_said() {
        for result in [sample::hostile(), sample::failed(), sample::empty()] {
            let page = page(&Batch::of(&full(result)));
            let (elements, _) = read(&page);
            for (name, attributes) in &elements {
                let known = "html head meta title style body main h1 h3 p ul li dl dt dd div table caption thead tbody tr th td br \
                     span svg polyline circle details summary pre footer";
                assert!(known.split_whitespace().any(|known| known == name), "<{name}>");
                for (key, value) in attributes {
                    assert!(
                        !key.starts_with("on") && !["src", "href", "style", "srcset"].contains(&key.as_str()),
                        "{key}={value}"
                    );
                }
            }
            assert!(page.contains("default-src &#39;none&#39;"));
            assert!(!page.contains(['\u{1b}', '\u{202e}', '\0', '\r']));
            assert!(page.len() < 300_000);
        }
    }

    #[test]
    fn whoever_cannot_see_colours_or_drawings_reads_the_same() {
        let page = page(&Batch::of(&full(sample::failed())));
        let (elements, said) = read(&page);
        assert!(said.contains("failed") && said.contains("oldest first: 0.9, 0.92, 0.7"), "{said}");
        let has = |name: &str, key: &str, value: &str| {
            elements
                .iter()
                .any(|(other, attributes)| other == name && attributes.iter().any(|(k, v)| k == key && v == value))
        };
        assert!(has("html", "lang", "en") && has("svg", "role", "img"));
        assert!(has("th", "scope", "col") && has("th", "scope", "row") && has("pre", "tabindex", "0"));
        let tables = elements.iter().filter(|(name, _)| name == "table").count();
        assert_eq!(tables, elements.iter().filter(|(name, _)| name == "caption").count());
        let headings: Vec<_> = elements
            .iter()
            .map(|(name, _)| name.as_str())
            .filter(|name| name.starts_with('h') && name.len() == 2)
            .collect();
        assert_eq!(headings[0], "h1");
        assert_eq!(headings.iter().filter(|heading| **heading == "h1").count(), 1);
    }

    #[test]
    fn the_worst_case_comes_first_and_what_does_not_fit_is_counted() {
        let mut result = sample::failed();
        let text = page(&Batch::of(&full(result.clone())));
        let worst = text.split_once("Worst cases").expect("the section").1;
        assert!(worst.find("case-2") < worst.find("case-3"));
        assert!(text.contains("-0.22 (worse)"));
        let case = result.cases[1].clone();
        result.cases = (0..3_000).map(|n| crate::eval::CaseResult { id: format!("c{n}"), ..case.clone() }).collect();
        let text = page(&Batch::of(&full(result)));
        assert!(
            text.contains("2800 more cases are not shown here") && text.contains("1000 more cases are not shown here")
        );
    }

    #[test]
    fn several_evals_are_one_page_with_the_worst_verdict_first() {
        let views = [full(sample::passed()), full(sample::inconclusive())];
        let text = page(&Batch { results: views.iter().collect(), ..Batch::default() });
        assert!(text.contains("<h1>inconclusive: 2 evals</h1>"));
        read(&text);
        let nothing = page(&Batch::default());
        assert!(
            nothing.contains("no eval ran, so nothing passed") && nothing.contains("<h1>inconclusive: 1 eval</h1>")
        );
        read(&nothing);
    }
}
