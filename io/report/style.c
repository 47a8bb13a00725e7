// SPDX-License-Identifier: GPL-3.0-or-later
#include "io/report/page.h"

/*
 * The colours --c1 to --c8 are those of Okabe and Ito (2008, "Color Universal Design"), which
 * people of all kinds of colour vision tell apart; darker or lighter where they would be faint on
 * the paper of the scheme. gnuplot writes each as a number of its own (plot.c), and the rules below
 * put the scheme's in its place. --r0 to --r8 are nine of the colours of viridis, as in heat.c.
 */
static const char *const STYLE[] = {
    ":root{color-scheme:light dark;--paper:#fff;--ink:#1b1f24;--soft:#5b6470;--line:#d9dee4;"
    "--tint:#f4f6f8;--accent:#0060a0;"
    "--c1:#0072b2;--c2:#d55e00;--c3:#008a63;--c4:#b14e8b;--c5:#b57f00;--c6:#2f94c8;--c7:#5b6470;"
    "--c8:#8a7f00}\n"
    "@media screen and (prefers-color-scheme:dark){:root{--paper:#14171b;--ink:#e7eaee;"
    "--soft:#9aa5b1;--line:#343b43;--tint:#1d2127;--accent:#6db9ee;"
    "--c1:#56b4e9;--c2:#f08a3c;--c3:#2fc295;--c4:#dd94be;--c5:#e6b035;--c6:#9ad3f3;--c7:#aab4be;"
    "--c8:#e0d95c}}\n"
    "*{box-sizing:border-box}\n"
    "html{-webkit-text-size-adjust:100%}\n"
    "body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"
    "\"Segoe UI\",Roboto,\"Noto Sans\",\"DejaVu Sans\",sans-serif}\n"
    "main{max-width:776px;margin:0 auto;padding:32px 28px 64px}\n"
    "h1{font-size:1.65rem;line-height:1.25;margin:0 0 .3rem;font-weight:650;"
    "overflow-wrap:anywhere}\n"
    "h2{font-size:1.2rem;line-height:1.3;margin:2.6rem 0 .4rem;font-weight:650}\n"
    "h3{font-size:1rem;line-height:1.35;margin:0 0 .15rem;font-weight:600}\n"
    "p{margin:.3rem 0 .8rem;max-width:68ch}\n"
    ".kind{color:var(--soft);font-size:.85rem;margin:0 0 .35rem}\n"
    ".lead{color:var(--soft);overflow-wrap:anywhere}\n",
    ".facts{display:flex;flex-wrap:wrap;margin:1.2rem 0;border:solid var(--line);"
    "border-width:1px 0 0 1px}\n"
    ".facts div{flex:1 1 max(150px,22%);min-width:0;border:solid var(--line);border-width:0 1px "
    "1px 0;"
    "padding:.65rem .85rem}\n"
    ".facts dt{font-size:.8rem;color:var(--soft);line-height:1.3}\n"
    ".facts dd{margin:.1rem 0 0;font-size:1.25rem;font-weight:600;line-height:1.3;"
    "font-variant-numeric:tabular-nums;overflow-wrap:anywhere}\n"
    ".facts small{display:block;font-size:.8rem;font-weight:400;color:var(--soft)}\n"
    ".good{color:var(--c3)}.bad{color:var(--c2)}.muted{color:var(--soft)}\n"
    "figure{margin:1.2rem 0 1.3rem;break-inside:avoid}\n"
    "figcaption p{color:var(--soft);margin:0 0 .45rem;font-size:.93rem;line-height:1.45}\n"
    "figure svg{display:block;width:100%;height:auto;overflow:visible}\n"
    "figure svg.narrow{display:none}\n"
    "@media (max-width:560px){main{padding:20px 16px 48px}h1{font-size:1.35rem}"
    "figure svg.wide{display:none}figure svg.narrow{display:block}}\n"
    "@media screen and (max-width:760px){figure.full svg.wide{display:none}"
    "figure.full svg.narrow{display:block;max-width:480px}}\n"
    "section{display:grid;grid-template-columns:minmax(0,1fr);align-items:start}\n"
    "@media screen and (min-width:1080px){main{max-width:1256px}"
    "section{grid-template-columns:repeat(2,minmax(0,1fr));column-gap:44px}"
    "section>*{grid-column:1/-1}section>figure,section>.half{grid-column:auto}"
    "section>figure.left{grid-column:1}"
    "section>figure.full{grid-column:1/-1}.full svg{max-width:1080px}}\n"
    ".key{list-style:none;display:flex;flex-wrap:wrap;gap:.1rem 1.1rem;margin:.2rem 0 .4rem;"
    "padding:0;font-size:.85rem;line-height:1.5}\n"
    ".key li{display:flex;align-items:center;gap:.45rem}\n"
    ".key i{flex:none;width:22px;height:0;border-top:3px solid currentColor}\n"
    ".key .d2 i{border-top-style:dashed}.key .d3 i{border-top-style:dotted}\n"
    ".key .box i{height:12px;width:12px;border:0;background:currentColor}\n"
    ".key .dot i{height:8px;width:8px;border:0;border-radius:50%;background:currentColor}\n"
    ".key b{font-weight:400;color:var(--ink)}\n"
    ".ramp{display:flex;align-items:center;gap:.6rem;font-size:.85rem;color:var(--soft);"
    "margin:.2rem 0 .4rem;flex-wrap:wrap}\n"
    ".ramp i{flex:none;width:160px;height:10px;background:linear-gradient(90deg,"
    "#440154,#472d7b,#3b528b,#2c728e,#21918c,#28ae80,#5ec962,#addc30,#fde725);"
    "print-color-adjust:exact;-webkit-print-color-adjust:exact}\n",
    "details{margin:.3rem 0 .6rem;font-size:.9rem}\n"
    "summary{cursor:pointer;color:var(--accent);width:fit-content}\n"
    "summary:focus-visible,.scroll:focus-visible{outline:2px solid var(--accent);"
    "outline-offset:2px}\n"
    ".scroll{overflow:auto;max-height:44rem;margin:.5rem 0 1rem;border:1px solid var(--line);"
    "width:fit-content;max-width:100%}\n.note{color:var(--soft);font-size:.85rem;line-height:1.4}"
    "\n.half{margin:1rem 0}.half .scroll{margin-bottom:0}\n"
    "details .scroll{max-height:26rem}"
    "table{border-collapse:collapse;font-size:.85rem;line-height:1.35;min-width:16rem;"
    "font-variant-numeric:tabular-nums}\n"
    "p.caption{color:var(--soft);font-size:.88rem;line-height:1.4;margin:.8rem 0 .3rem}"
    ".caption+.scroll{margin-top:.3rem}\n"
    "th,td{padding:.28rem .7rem;text-align:right;white-space:nowrap;"
    "border-top:1px solid var(--line)}\n"
    "thead th{border-top:0;font-weight:600;background:var(--tint);position:sticky;top:0;"
    "white-space:normal;vertical-align:bottom}\n@media (max-width:560px){th,td{padding:.28rem "
    ".45rem}}\n"
    "td:first-child,th:first-child{text-align:left}\n"
    "td.t{max-width:26rem;overflow-wrap:break-word;white-space:normal}\n"
    "pre{white-space:pre-wrap;overflow-wrap:anywhere;overflow:auto;background:var(--tint);border:"
    "1px solid var(--line);padding:.8rem 1rem;"
    "margin:.5rem 0 1rem;font:.82rem/1.5 ui-monospace,\"DejaVu Sans Mono\",Menlo,Consolas,"
    "monospace;max-height:32rem}\n"
    "code{font:.9em ui-monospace,\"DejaVu Sans Mono\",Menlo,Consolas,monospace;"
    "overflow-wrap:anywhere}\n"
    "footer{color:var(--soft);font-size:.85rem;margin-top:2.5rem;border-top:1px solid var(--line);"
    "padding-top:.8rem}\n",
    "svg text{font-family:inherit;font-variant-numeric:tabular-nums}\n"
    "svg [color=\"black\"]{color:inherit}svg [color=\"gray\"]{color:var(--line)}\n"
    "svg [color=\"#FFFFFF\"]{color:var(--paper)}\n"
    "svg [fill=\"rgb(85,85,85)\"]{fill:var(--soft)}svg [fill=\"black\"]{fill:currentColor}\n"
    "svg [stroke=\"rgb(119, 119, 119)\"]{stroke:var(--soft)}\n"
    "svg [stroke=\"rgb(221, 221, 221)\"]{stroke:var(--line)}\n"
    "svg image{image-rendering:pixelated}\n"
#define COLOUR(n, rgb)                                                           \
  ".key .c" n " i{color:var(--c" n ")}svg [stroke=\"" rgb "\"]{stroke:var(--c" n \
  ")}svg [fill=\"" rgb "\"]{fill:var(--c" n ")}svg [color=\"" rgb "\"]{color:var(--c" n ")}\n"
    COLOUR("1", "rgb(  0, 114, 178)") COLOUR("2", "rgb(213,  94,   0)") COLOUR(
        "3", "rgb(  0, 158, 115)") COLOUR("4", "rgb(204, 121, 167)")
        COLOUR("5", "rgb(230, 159,   0)") COLOUR("6", "rgb( 86, 180, 233)") COLOUR(
            "7", "rgb( 91, 100, 112)") COLOUR("8", "rgb(240, 228,  66)")
#undef COLOUR
            "@media print{:root{color-scheme:light}main{max-width:none;padding:0}"
            "body{font-size:11pt}.scroll,pre{max-height:none;overflow:visible}"
            "section{grid-template-columns:repeat(2,minmax(0,1fr));column-gap:24px}"
            "section>*{grid-column:1/"
            "-1}section>figure{grid-column:auto}section>figure.left{grid-column:1}"
            "section>figure.full,section>.half{grid-column:1/-1}"
            "figure:not(.full) svg.wide{display:none}figure:not(.full) svg.narrow{display:block}"
            "h2,h3{break-after:avoid}summary{color:inherit}}\n"};

void wal_page_style(wal_page *page) {
  for (size_t i = 0; i < sizeof STYLE / sizeof STYLE[0]; i++) wal_page_markup(page, STYLE[i]);
}
