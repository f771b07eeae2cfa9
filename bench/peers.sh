# peers.sh: how many items other programs have read, by what they leave behind. To be sourced.

# An item is a folder named by its kind and number. Those within an attachment are not counted, nor
# is what was found again of deleted ones: we do not look for it.
pffexport_items() { # FOLDER
    find "$1" \( -name Attachments -o -name '*.recovered' \) -prune -o -type d -print |
        grep -Ec '/(Message|Appointment|Meeting|Contact|Task|Note|Activity|Post|Report|Document|Sharing|Folder|DistributionList|Item|RSS)[0-9]{5}$' || true
}

# It counts a folder among the items of the one above it.
readpst_items() { # LOG...
    cat "$@" | awk '
        /^Processing Folder/ { folders++ }
        / items? done/ { for (i = 1; i < NF; i++) if ($(i + 1) ~ /^items?$/ && $(i + 2) ~ /^done/) n += $i }
        END { print n - folders + 0 }'
}
