# Completion of phyllo for bash. Made by `phyllo completion bash`, which knows all; phyllo is not started to complete.

_phyllo() {
  local before=() current='' quote='' head='' replies=() arguments=() commands=() options=()
  local command option takes spec repeats position ended
  _phyllo_read_line
  _phyllo_walk
  if [[ -z $ended && $current == --?*=* ]] && _phyllo_option "$command" "${current%%=*}"; then
    head=${current%%=*}= current=${current#*=}
    _phyllo_offer "$spec"
  elif [[ -z $option && -z $ended && $current == -?* ]] || [[ $takes == many && $current == -?* ]]; then
    _phyllo_offer_names "${options[@]}"
  elif [[ -n $option ]]; then
    _phyllo_offer "$spec"
  else
    _phyllo_offer_names "${commands[@]}"
    ((position >= ${#arguments[@]})) && [[ -n $repeats ]] && position=$((${#arguments[@]} - 1))
    _phyllo_offer "${arguments[position]-}"
    [[ -z $current ]] && ((${#replies[@]} == 0)) && _phyllo_offer_names "${options[@]}"
  fi
  _phyllo_reply
}

# The words before the cursor. bash breaks them at `:` and `=`, which are put together again where no space is between.
_phyllo_read_line() {
  local line=${COMP_LINE:0:COMP_POINT} word at=-1 i
  for ((i = 0; i <= COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if [[ $at == -1 || $line == [[:space:]]* ]]; then
      line=${line#"${line%%[![:space:]]*}"} at=$((at + 1))
      before[at]=''
    fi
    # The cursor may stand inside the last word.
    [[ $line == "$word"* ]] || word=$line
    before[at]+=$word line=${line#"$word"}
  done
  current=${before[at]}
  unset "before[$at]" 'before[0]'
  case $current in
    [\'\"]*) quote=${current:0:1} current=${current:1} ;;
    *) current=${current//\\/} ;;
  esac
}

# Whole names; what follows their first colon describes them.
_phyllo_offer_names() {
  local name
  for name in "$@"; do
    name=${name%%:*}
    [[ $name == "$current"* ]] && replies+=("$name")
  done
}

# Tokens: a word, or a beginning with the `<kind>` of what follows it.
_phyllo_offer() {
  local tokens=() token start
  read -ra tokens <<< "$1"
  for token in "${tokens[@]}"; do
    start=${token%%<*}
    if [[ $token == *'<'* && $current == "$start"* ]]; then
      token=${token##*<}
      _phyllo_list "${token%>}" "$start"
    elif [[ $start == "$current"* ]]; then
      replies+=("$start")
    fi
  done
}

# Files, directories or store paths that begin with what is typed after `start`.
_phyllo_list() {
  local kind=$1 start=$2 path text=${current#"$2"}
  case $kind:$text in
    storePaths:) [[ -d /nix/store ]] && replies+=("$start/nix/store/") ;;
    storePaths:/nix/store/*/*) ;;
    storePaths:/nix/store/*) _phyllo_add_paths < <(compgen -f -- "$text" | grep -Ev '\.(drv|lock|check)$|/\.') ;;
    storePaths:[0-9a-z]*)
      [[ $text == */* ]] || _phyllo_add_paths < <(compgen -f -- "/nix/store/$text" | sed -E '/\.(drv|lock|check)$/d; s,.*/,,') ;;
    storePaths:* | directories:*) _phyllo_add_paths < <(compgen -d -- "$text" | sed 's,$,/,') ;;
    *)
      while IFS= read -r path; do
        [[ -d ${path/#\~/$HOME} ]] && path+=/
        replies+=("$start$path")
      done < <(compgen -f -- "$text")
      ;;
  esac
}

_phyllo_add_paths() {
  while IFS= read -r path; do replies+=("$start$path"); done
}

# What readline replaces begins after the last character at which it breaks words, and `@` and `$` belong to what follows them.
_phyllo_reply() {
  local i reply cut="$head$current"
  COMPREPLY=()
  for ((i = ${#cut}; i > 0; i--)); do
    [[ -z $quote && $COMP_WORDBREAKS == *"${cut:i-1:1}"* && ${cut:i-1:1} != [[:space:]] ]] && break
  done
  ((i > 0)) && [[ ${cut:i-1:1} == [@$] ]] && ((i -= 1))
  for reply in "${replies[@]}"; do
    reply=$head$reply
    reply=${reply:i}
    [[ -n $quote ]] || printf -v reply %q "$reply"
    COMPREPLY+=("${reply/#\\~/~}")
  done
  ((${#COMPREPLY[@]} == 1)) && [[ ${COMPREPLY[0]} == *[:/=@] ]] && compopt -o nospace 2> /dev/null
  return 0
}

# @walk@

# @tables@

complete -F _phyllo phyllo
