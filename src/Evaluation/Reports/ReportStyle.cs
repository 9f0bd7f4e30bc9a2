namespace MASQuant.Evaluation.Reports;

/// <summary>The style sheet of every report. Colours that mean something keep 4.5 : 1 on their background in light and dark, and differ in lightness for readers who see few hues.</summary>
internal static class ReportStyle
{
    /// <summary>CSS, without anything external.</summary>
    public const string Sheet = """
        :root{color-scheme:light dark;--paper:#fff;--ink:#1d2125;--soft:#5a646e;--rule:#d9dee3;--wash:#f3f5f7;--text:#005a9c;--vision:#b44300;--audio:#00704f;--c1:#4d3fae;--c2:#8a5a00;--c3:#00707a;--c4:#a3245f;--c5:#3d5a00;--c6:#5a646e}
        @media (prefers-color-scheme:dark){:root{--paper:#15181b;--ink:#e7eaed;--soft:#a3adb7;--rule:#343b42;--wash:#1e2327;--text:#6db8ff;--vision:#ff9d5c;--audio:#4fd6a6;--c1:#b3a6ff;--c2:#e6b450;--c3:#4fd0dc;--c4:#ff8fbe;--c5:#b5d46a;--c6:#a3adb7}}
        *{box-sizing:border-box}
        body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;-webkit-text-size-adjust:100%}
        main{max-width:76rem;margin:0 auto;padding:1.5rem 1rem 4rem}
        h1{font-size:1.7rem;line-height:1.2;margin:0 0 .25rem}
        h2{font-size:1.25rem;margin:2.75rem 0 .25rem;padding-top:.75rem;border-top:1px solid var(--rule)}
        h3{font-size:1rem;margin:1.75rem 0 .25rem}
        p,ul{max-width:46rem;margin:.4rem 0}
        h1,h2,h3,nav a,summary,figcaption{overflow-wrap:anywhere}
        summary{cursor:pointer;margin:.75rem 0}
        .soft{color:var(--soft)}
        .verdict{border-left:.25rem solid var(--text);background:var(--wash);border-radius:.25rem;padding:.4rem .9rem;margin:.9rem 0}
        .verdict p{overflow-wrap:anywhere}
        nav{margin:.75rem 0}
        nav a{display:inline-block;margin:.1rem .9rem .1rem 0}
        a{color:var(--text)}
        .tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:.75rem;margin:1rem 0;padding:0}
        .tiles div{background:var(--wash);border-radius:.5rem;padding:.6rem .8rem}
        .tiles dt{color:var(--soft);font-size:.85rem}
        .tiles dd{margin:0;font-size:1.25rem;font-weight:600;font-variant-numeric:tabular-nums}
        .tiles dd small{display:block;font-size:.8rem;font-weight:400;color:var(--soft)}
        .scroll{overflow-x:auto;margin:.75rem 0;border:1px solid var(--rule);border-radius:.5rem}
        .scroll:focus-visible{outline:2px solid var(--text)}
        table{border-collapse:collapse;width:100%;font-size:.875rem;font-variant-numeric:tabular-nums}
        caption{text-align:left;padding:.5rem .75rem;font-weight:600}
        th,td{padding:.3rem .75rem;text-align:right;white-space:nowrap;border-top:1px solid var(--rule)}
        thead th{border-top:0;color:var(--soft);font-weight:600;vertical-align:bottom}
        th.word,td.word{text-align:left}
        tbody tr:nth-child(even),tbody tr:nth-child(even) .word{background:var(--wash)}
        .word:first-child{position:sticky;left:0;background:var(--paper);z-index:1}
        @media (max-width:40rem){th,td{padding:.3rem .5rem}.word{white-space:normal;overflow-wrap:break-word;max-width:9rem}}
        pre{font-size:.8125rem;padding:.6rem .75rem;white-space:pre-wrap;overflow-wrap:anywhere}
        .charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,22rem),1fr));gap:1rem;margin:.75rem 0}
        figure{margin:0}
        figcaption{font-size:.9rem;font-weight:600}
        svg{display:block;width:100%;height:auto;max-width:34rem}
        svg text{font-size:12px;white-space:pre;fill:var(--soft);font-variant-numeric:tabular-nums}
        svg .name{font-weight:600;fill:var(--ink)}
        svg .grid{stroke:var(--rule);stroke-width:1}
        svg .diagonal{stroke:var(--soft);stroke-dasharray:2 3}
        svg .line,svg .dashed{fill:none;stroke:var(--hue);stroke-width:2;stroke-linejoin:round}
        svg .dashed{stroke-width:1.5;stroke-dasharray:4 3;opacity:.8}
        svg .whisker{stroke:var(--hue);stroke-width:1.5}
        svg .mark,svg .bar{fill:var(--hue)}
        svg text.name{fill:var(--hue,var(--ink))}
        .text{--hue:var(--text)}.vision{--hue:var(--vision)}.audio{--hue:var(--audio)}.neutral{--hue:var(--soft)}
        .c1{--hue:var(--c1)}.c2{--hue:var(--c2)}.c3{--hue:var(--c3)}.c4{--hue:var(--c4)}.c5{--hue:var(--c5)}.c6{--hue:var(--c6)}
        .key{display:inline-block;margin-right:1rem;font-weight:600;color:var(--hue)}
        .samples{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,22rem),1fr));gap:1rem;margin:.75rem 0}
        .sample{border:1px solid var(--rule);border-radius:.5rem;padding:.75rem;overflow-wrap:anywhere}
        .sample img{max-width:100%;height:auto;max-height:14rem;background:#fff;border-radius:.25rem;image-rendering:auto}
        .sample audio{width:100%}
        .sample dl{display:grid;grid-template-columns:auto 1fr;gap:.15rem .75rem;margin:.5rem 0 0}
        .sample dt{color:var(--soft)}
        .sample dd{margin:0;white-space:pre-wrap}
        .sample .prompt{margin:.35rem 0;white-space:pre-wrap}
        @media print{.scroll{overflow:visible}figure,.sample{break-inside:avoid}}

        """;
}
