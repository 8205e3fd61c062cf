//! How a page looks: light and dark, narrow and printed. Colours only repeat what signs and words say.

/// The style of a page.
pub(super) const STYLE: &str = r#":root {
  color-scheme: light dark;
  --ink: #1c2024; --soft: #5b6570; --paper: #ffffff; --tint: #f3f5f7; --line: #d5dae0;
  --good: #17693a; --bad: #a81c1c; --open: #8a5300; --accent: #1f5fa8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e6e9ec; --soft: #9aa5b1; --paper: #14181c; --tint: #1e242a; --line: #37414b;
    --good: #63cf8f; --bad: #ff8b85; --open: #f0b45c; --accent: #7db8f5;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 64rem; padding: 1.5rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif;
}
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .5rem; }
h2 { font-size: 1.25rem; line-height: 1.3; margin: 2.5rem 0 .5rem; padding-top: 1rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.05rem; margin: 1.75rem 0 .5rem; }
h1, h2, h3, td, th, li, dd, summary { overflow-wrap: anywhere; }
a { color: var(--accent); }
a:focus-visible, summary:focus-visible, .scroll:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.verdict { font-weight: 700; white-space: nowrap; }
.passed { color: var(--good); } .failed { color: var(--bad); } .inconclusive { color: var(--open); }
.soft { color: var(--soft); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: .75rem 0; }
dt { color: var(--soft); } dd { margin: 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); padding: .25rem 0; }
th, td { text-align: left; vertical-align: top; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line); }
thead th { border-bottom-width: 2px; white-space: nowrap; }
tbody th { font-weight: 600; min-width: 8rem; }
td.number { text-align: right; white-space: nowrap; } thead th.number { text-align: right; }
svg { display: block; } svg polyline { fill: none; stroke: var(--accent); stroke-width: 1.5; } svg circle { fill: var(--accent); }
details { border: 1px solid var(--line); border-radius: .35rem; margin: .5rem 0; padding: .5rem .75rem; }
summary { cursor: pointer; font-weight: 600; } summary .soft { font-weight: 400; }
pre {
  background: var(--tint); padding: .75rem; margin: .5rem 0; max-height: 24rem; overflow: auto;
  white-space: pre-wrap; overflow-wrap: anywhere; font-size: .875rem;
}
footer { margin-top: 2.5rem; border-top: 1px solid var(--line); padding-top: .75rem; }
@media (max-width: 36rem) { body { padding: 1rem; } dl { grid-template-columns: 1fr; } dd { margin-bottom: .35rem; } }
@media print {
  body { max-width: none; padding: 0; font-size: 10pt; }
  details::details-content { content-visibility: visible; display: block; }
  details, tr { break-inside: avoid; } pre { max-height: none; } .scroll { overflow: visible; }
}
"#;
