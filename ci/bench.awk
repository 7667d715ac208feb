# The tables of ci/bench, from benches/limits.tsv, the times of rivals in programs of their own if there are any, and lines of group, function, median.

function time(ns) {
    if (ns < 1e3) return sprintf("%.1f ns", ns)
    if (ns < 1e6) return sprintf("%.2f µs", ns / 1e3)
    if (ns < 1e9) return sprintf("%.2f ms", ns / 1e6)
    return sprintf("%.2f s", ns / 1e9)
}

function compare_rivals(    i, group, rival, ratio, at_most) {
    print "| work | hilos | rival | rival's time | ratio | at most |\n|---|---|---|---|---|---|"
    for (i = 1; i <= count; i++) {
        group = groups[i]; rival = rivals[i]
        if (!(group in hilos)) { complain(group " has no function hilos"); continue }
        ratio = hilos[group] / times[i]
        at_most = "-"
        if ((group, rival) in limit) {
            at_most = limit[group, rival]
            if (ratio > at_most + 0) { at_most = at_most " OVER"; over++ }
            delete limit[group, rival]
        }
        printf "| %s | %s | %s | %s | %.2f | %s |\n", group, time(hilos[group]), rival, time(times[i]), ratio, at_most
    }
}

function compare_others(    i, group, rival, factor, at_least) {
    print "\n| work | hilos | rival | its time | factor | at least |\n|---|---|---|---|---|---|"
    for (i = 1; i <= other_count; i++) {
        group = other_groups[i]; rival = other_rivals[i]
        if (!(group in hilos)) { complain("no benchmark does " group); continue }
        factor = other_times[i] / hilos[group]
        at_least = "-"
        if ((group, rival) in limit) {
            at_least = sprintf("%.1f", 1 / limit[group, rival])
            if (factor < at_least + 0) { at_least = at_least " UNDER"; over++ }
            delete limit[group, rival]
        }
        printf "| %s | %s | %s | %s | %.1f | %s |\n", group, time(hilos[group]), rival, time(other_times[i]), factor, at_least
    }
}

function complain(message) { print message > "/dev/stderr" }

FILENAME == "benches/limits.tsv" { if (FNR > 1) limit[$1, $2] = $3; next }
FILENAME != "-" {
    other_groups[++other_count] = $1; other_times[other_count] = $2
    other_rivals[other_count] = NF > 2 ? $3 : "CPython"
    next
}
$2 == "hilos" { hilos[$1] = $3; next }
{ groups[++count] = $1; rivals[count] = $2; times[count] = $3 }

END {
    compare_rivals()
    if (other_count) compare_others()
    for (pair in limit) { split(pair, name, SUBSEP); complain("not measured: " name[1] " beside " name[2]) }
    if (over) complain(over " over the limit")
    exit strict && over
}
