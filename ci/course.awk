# Compares what the program named `program` has printed, the second file, with its part of examples/course.txt, the first.

# The part of a line that a placeholder stands for, as a regular expression.
function value(name) {
    if (name == "int") return "-?[0-9]+"
    if (name == "number" || name ~ /\.\./) return "-?[0-9]+(\\.[0-9]+)?"
    if (name ~ /^=/) return "[0-9A-Za-z_.]+"
    if (name == "word") return "[^ ]+"
    return ".*"
}

# Whether a placeholder may stand for `text`; of those with names, equal ones are equal and others differ.
function allows(name, text,    ends, other) {
    if (split(name, ends, /\.\./) == 2) return text + 0 >= ends[1] + 0 && text + 0 <= ends[2] + 0
    if (name !~ /^=/) return 1
    if (name in known) return known[name] == text
    for (other in known) if (known[other] == text) return 0
    maybe[name] = text
    return 1
}

# Whether a line is what a pattern says.
function fits(line, pattern,    literal, name) {
    split("", maybe)
    while (match(pattern, /\{(int|number|word|any|=[a-z]+|[0-9.]+\.\.[0-9.]+)\}/)) {
        literal = substr(pattern, 1, RSTART - 1)
        name = substr(pattern, RSTART + 1, RLENGTH - 2)
        pattern = substr(pattern, RSTART + RLENGTH)
        if (substr(line, 1, length(literal)) != literal) return 0
        line = substr(line, length(literal) + 1)
        if (!match(line, "^" value(name))) return 0
        if (!allows(name, substr(line, 1, RLENGTH))) return 0
        line = substr(line, RLENGTH + 1)
    }
    if (line != pattern) return 0
    for (name in maybe) known[name] = maybe[name]
    return 1
}

function differs(expected) {
    print "expected: " expected
    print "printed:  " (at <= count ? lines[at] : "nothing more")
    wrong = 1
    exit 1
}

function take(pattern) {
    if (at > count || !fits(lines[at], pattern)) differs(pattern)
    at++
}

# Takes lines as long as they are what `pattern` says.
function skip(pattern) {
    while (at <= count && fits(lines[at], pattern)) at++
}

# Takes a line for each of `many` patterns, in whatever order.
function take_in_any_order(many, left,    i) {
    for (left = many; left > 0; at++) {
        for (i = 1; i <= between; i++) skip(loose[i])
        for (i = 1; i <= many; i++) if (!(i in taken) && at <= count && fits(lines[at], block[i])) break
        if (i > many) differs("one of " left " lines in any order")
        taken[i] = 1
        left--
    }
    for (i = 1; i <= between; i++) skip(loose[i])
    between = 0
    split("", taken)
}

# A line of the program's part, for which its placeholders or instructions stand.
function expect(pattern,    times) {
    if (pattern == "(in any order)") { gathering = 1; gathered = 0; return }
    if (pattern == "(in order)") { gathering = 0; take_in_any_order(gathered); return }
    if (sub(/^\(any number of\) /, "", pattern)) {
        if (gathering) loose[++between] = pattern
        else skip(pattern)
        return
    }
    times = 1
    if (pattern ~ /^\([0-9]+ times\) /) { times = substr(pattern, 2) + 0; sub(/^[^)]*\) /, "", pattern) }
    for (; times > 0; times--)
        if (gathering) block[++gathered] = pattern
        else take(pattern)
}

FILENAME == ARGV[1] {
    if (/^== /) inside = $NF == program
    else if (inside) patterns[++total] = $0
    next
}
{ lines[++count] = $0 }

END {
    if (wrong) exit 1
    while (patterns[total] == "") total--
    at = 1
    for (i = 1; i <= total; i++) expect(patterns[i])
    if (gathering) take_in_any_order(gathered)
    if (at <= count) differs("nothing more")
}
