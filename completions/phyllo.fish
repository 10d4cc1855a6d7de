# Completion of phyllo for fish. Made by `phyllo completion fish`, which knows all; phyllo is not started to complete.

complete --command phyllo --no-files --arguments '(__phyllo_complete)'

function __phyllo_complete
    set -l before (commandline --tokenize --cut-at-cursor --current-process)[2..-1]
    set -l typed (commandline --current-token --cut-at-cursor)
    set -l current (string unescape -- "$typed"; or string trim --left --chars '"\'' -- "$typed")
    set -l command ''
    set -l option ''
    set -l takes ''
    set -l spec ''
    set -l position 0
    set -l ended ''
    set -l commands
    set -l options
    set -l arguments
    set -l repeats
    __phyllo_walk

    if test -z "$ended"; and string match --quiet -- '--?*=*' "$current"
        set -l parts (string split --max 1 = -- "$current")
        __phyllo_option "$command" $parts[1]
        and printf "$parts[1]=%s\n" (__phyllo_offer $parts[2] (string split ' ' -- $spec))
    else if test -z "$option" -a -z "$ended"; and string match --quiet -- '-?*' "$current"
        printf '%s\n' $options
    else if test "$takes" = many; and string match --quiet -- '-?*' "$current"
        printf '%s\n' $options
    else if test -n "$option"
        __phyllo_offer "$current" (string split ' ' -- $spec)
    else
        if test -n "$repeats" -a $position -ge (count $arguments)
            set position (math (count $arguments) - 1)
        end
        set -q commands[1]; and printf '%s\n' $commands
        set -q arguments[(math $position + 1)]
        and __phyllo_offer "$current" (string split ' ' -- $arguments[(math $position + 1)])
    end
    return 0
end

# Of the words in `before`: which command they are about, which option waits for its value (`option`, and `takes` says whether for one or
# many), how many arguments came (`position`), and whether `--` ended the options (`ended`).
function __phyllo_walk --no-scope-shadowing
    __phyllo_command ''
    for word in $before
        if test "$takes" = one
            set option ''
            set takes ''
        else if test -z "$ended"; and string match --quiet -- '-?*' $word
            test $word = --; and set ended 1
            set option $word
            # A value after `=` is there already.
            __phyllo_option "$command" $word; or set option ''
        else if test -z "$option"
            if __phyllo_command (string trim -- "$command $word")
                set command (string trim -- "$command $word")
                set position 0
            else
                set position (math $position + 1)
            end
        end
    end
end

# Tokens: a word, or a beginning with the `<kind>` of what follows it.
function __phyllo_offer --argument-names text
    for token in $argv[2..-1]
        set -l parts (string split '<' -- $token)
        if test (count $parts) = 1
            test -n "$token"; and printf '%s\n' $token
        else if string match --quiet -- (string escape --style=var -- "$parts[1]")'*' (string escape --style=var -- "$text")
            set -l rest (string sub --start (math (string length -- "$parts[1]") + 1) -- "$text")
            set -l found (__phyllo_list (string trim --right --chars '>' -- $parts[2]) "$rest")
            set -q found[1]; and printf '%s\n' "$parts[1]"$found
        else
            printf '%s\n' $parts[1]
        end
    end
end

# Files, directories or store paths that begin with the text.
function __phyllo_list --argument-names kind text
    switch "$kind:$text"
        case storePaths:
            test -d /nix/store; and echo /nix/store/
        case 'storePaths:/nix/store/*/*'
        case 'storePaths:/nix/store/*'
            __phyllo_store_paths (string replace /nix/store/ '' -- $text)
        case 'storePaths:./*' 'storePaths:/*' 'storePaths:~*' 'storePaths:..*' 'directories:*'
            __fish_complete_directories "$text" ''
        case 'storePaths:*'
            string match --quiet '*/*' -- $text; or __phyllo_store_paths $text | string replace /nix/store/ ''
        case '*'
            __fish_complete_path "$text"
    end
end

function __phyllo_store_paths --argument-names start
    set -l paths /nix/store/$start*
    string match --invert --regex -- '\.(drv|lock|check)$' $paths
end

# @tables@
