# e2e_table.awk: the results of e2e.sh as a table, as JSON (-v json=FILE) and as data for the plot
# (-v plot=FILE). Of a program's runs the least time, the least processor time and the highest peak
# count. Rates are of the bytes of the extents, which the raw read takes too; what was requested is
# told in percent of the bytes allocated.

function least(old, new) { return old == "" || (new != "-" && new + 0 < old + 0) ? new : old }
function most(old, new) { return old == "" || (new != "-" && new + 0 > old + 0) ? new : old }
function share(bytes, set) { return bytes == "-" || !allocated[set] ? "-" : sprintf("%.1f", bytes * 100 / allocated[set]) }
function known(value) { return value == "-" ? "null" : value }

$3 == "size" { extents[$1] = $4; allocated[$1] = $5; next }
{
    key = $1 SUBSEP $2 SUBSEP $3
    if (!(key in ns)) order[++count] = key
    ns[key] = least(ns[key], $4)
    cpu[key] = least(cpu[key], $5)
    peak[key] = most(peak[key], $6)
    items[key] = $7
    if ($3 ~ /^scan/) ours[$1] = $7
    plan[key] = $8; sweep[key] = $9; gaps[key] = $10; again[key] = $11
}

function limit_of(set, temperature, program) {
    key = set SUBSEP temperature SUBSEP (program ~ /direct/ ? "raw,direct" : "raw")
    return ns[key]
}

END {
    printf "[" >json
    for (n = 1; n <= count; n++) {
        split(order[n], part, SUBSEP)
        row(part[1], part[2], part[3], order[n])
    }
    print "]" >json
    printf "%s", lines
    plot_data()
}

function row(set, temperature, program, key,    timed, mb, of, rate, seconds, mib) {
    if (set != last_set || temperature != last_temperature) {
        lines = lines sprintf("%s%s, %s: %.1f MB allocated, %.1f MB in extents\n%-14s %8s %7s %9s %8s %9s %7s %7s %7s %7s\n",
            (n > 1 ? "\n" : ""), set, temperature, allocated[set] / 1e6, extents[set] / 1e6, "program", "MB/s", "of raw",
            "items/s", "CPU s/GB", "peak MiB", "plan %", "sweep %", "gaps %", "again %")
        last_set = set
        last_temperature = temperature
    }
    timed = ns[key] != "-"
    mb = timed ? extents[set] * 1e3 / ns[key] : 0
    of = timed ? limit_of(set, temperature, program) / ns[key] : 0
    rate = items[key] == "-" ? "-" : sprintf("%.0f", items[key] * 1e9 / ns[key])
    seconds = cpu[key] == "-" ? "-" : sprintf("%.3f", cpu[key] / extents[set])
    mib = peak[key] == "-" ? "-" : sprintf("%.0f", peak[key] / 1048576)
    lines = lines sprintf("%-14s %8s %7s %9s %8s %9s %7s %7s %7s %7s%s\n", program,
        (timed ? sprintf("%.0f", mb) : "-"), (timed ? sprintf("%.3f", of) : "-"), rate, seconds, mib,
        share(plan[key], set), share(sweep[key], set), share(gaps[key], set), share(again[key], set),
        items[key] == "-" || items[key] == ours[set] ? "" : "  (" items[key] " items, not " ours[set] ")")
    printf "%s{\"set\":\"%s\",\"cache\":\"%s\",\"program\":\"%s\",\"elapsed_ns\":%s,\"cpu_ns\":%s,\"mb_s\":%s,\"of_raw\":%s,\"items\":%s,\"items_s\":%s,\"peak_bytes\":%s,\"allocated_bytes\":%s,\"extent_bytes\":%s,\"read\":{\"plan\":%s,\"sweep\":%s,\"gaps\":%s,\"again\":%s}}\n",
        (n > 1 ? "," : ""), set, temperature, program, known(ns[key]), known(cpu[key]),
        (timed ? sprintf("%.1f", mb) : "null"), (timed ? sprintf("%.4f", of) : "null"), known(items[key]), known(rate),
        known(peak[key]), allocated[set], extents[set], known(plan[key]), known(sweep[key]), known(gaps[key]), known(again[key]) >json
}

# A line a set, warm; a column a program.
function plot_data(    i, p, s, line, programs, sets_, at) {
    for (i = 1; i <= count; i++) {
        split(order[i], part, SUBSEP)
        if (part[2] != "warm" || part[3] !~ /^(raw|raw\+sum|walk.*|check|scan.*)$/) continue
        if (!(part[3] in seen)) { seen[part[3]] = 1; programs[++p] = part[3] }
        if (!(part[1] in seen_set)) { seen_set[part[1]] = 1; sets_[++s] = part[1] }
    }
    line = "set"
    for (i = 1; i <= p; i++) line = line " " programs[i]
    print line >plot
    for (at = 1; at <= s; at++) {
        line = sets_[at]
        for (i = 1; i <= p; i++) {
            key = sets_[at] SUBSEP "warm" SUBSEP programs[i]
            line = line " " (key in ns ? sprintf("%.1f", extents[sets_[at]] * 1e3 / ns[key]) : "?")
        }
        print line >plot
    }
}
