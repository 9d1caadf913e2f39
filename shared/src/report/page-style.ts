/** The style of a plan's page: light and dark by the reader's choice, and nothing wider than a phone. */
export const pageStyle = `
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --dim: #57606a; --line: #d0d7de; --box: #f6f8fa;
  --create: #116329; --update: #7d4e00; --remove: #a40e26; --note: #0550ae; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #0d1117; --dim: #9da7b3; --line: #3d444d;
  --box: #161b22; --create: #56d364; --update: #e3b341; --remove: #ff7b72; --note: #79c0ff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 60rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.25rem; margin: 2rem 0 0; } h3 { font-size: 1rem; margin: 1rem 0 0; }
header p { margin: 0; color: var(--dim); }
small { color: var(--dim); }
.wide { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; } th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; overflow-wrap: normal; }
ul { list-style: none; padding: 0; margin: .3rem 0; } ul.plain { list-style: disc; padding-left: 1.5rem; }
li { display: flex; gap: .5rem; padding: .15rem 0; } ul.plain li { display: list-item; }
li > div { min-width: 0; flex: 1; }
.symbol { font-family: ui-monospace, monospace; font-weight: bold; }
.verb { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.create .symbol, ins { color: var(--create); } .update .symbol, .unknown .symbol { color: var(--update); }
.remove .symbol, del { color: var(--remove); } .note .symbol { color: var(--note); }
.risk { border: 1px solid currentColor; border-radius: .3rem; padding: 0 .3rem; font-size: .85rem; color: var(--update); }
.risk.data, .risk.downtime { color: var(--remove); }
details { margin: .3rem 0; } summary { cursor: pointer; color: var(--note); }
pre { margin: .3rem 0; padding: .5rem; background: var(--box); border: 1px solid var(--line); border-radius: .3rem;
  white-space: pre-wrap; font: 13px/1.45 ui-monospace, monospace; }
pre ins, pre del { text-decoration: none; }
svg { max-width: none; }
`
