#compdef phyllo
# Completion of phyllo for zsh. Made by `phyllo completion zsh`, which knows all; phyllo is not started to complete.

_phyllo() {
  local command option takes spec repeats position ended
  local -a before arguments commands options
  before=("${(@Q)words[2,CURRENT-1]}")
  _phyllo_walk
  if [[ -z $ended && $PREFIX == --?*=* ]] && _phyllo_option "$command" "${PREFIX%%=*}"; then
    compset -P '*='
    _phyllo_offer ${(s: :)spec}
  elif [[ ( -z $option && -z $ended && $PREFIX == -?* ) || ( $takes == many && $PREFIX == -?* ) ]]; then
    _describe -o option options
  elif [[ -n $option ]]; then
    _phyllo_offer ${(s: :)spec}
  else
    (( position >= $#arguments && $#repeats )) && position=$(( $#arguments - 1 ))
    (( $#commands )) && _describe command commands
    _phyllo_offer ${(s: :)arguments[position+1]}
    [[ -z $PREFIX && $#commands -eq 0 && $#arguments -eq 0 ]] && _describe -o option options
  fi
}

# Tokens: a word, or a beginning with the `<kind>` of what follows it.
_phyllo_offer() {
  local token start kind
  local -a closed open
  for token in "$@"; do
    start=${token%%'<'*}
    if [[ $token != *'<'* ]]; then
      [[ $token == *[:/=] ]] && open+=($token) || closed+=($token)
    elif [[ -z $start ]]; then
      kind=${${token#'<'}%'>'}
    elif [[ $PREFIX == $start* ]]; then
      compset -P "$start"
      _phyllo_list ${${token##*'<'}%'>'}
      return
    else
      open+=($start)
    fi
  done
  (( $#closed )) && compadd -a closed
  (( $#open )) && compadd -S '' -a open
  [[ -n $kind ]] && _phyllo_list $kind
}

_phyllo_list() {
  local -a paths
  case $1:$PREFIX in
    (storePaths:) [[ -d /nix/store ]] && compadd -S '' -- /nix/store/ ;;
    (storePaths:/nix/store/*)
      compset -P /nix/store/
      _phyllo_store_paths ;;
    (storePaths:[0-9a-z]*) _phyllo_store_paths ;;
    (storePaths:* | directories:*) _files -/ ;;
    (*) _files ;;
  esac
}

_phyllo_store_paths() {
  local -a paths
  [[ $PREFIX == */* ]] && return
  paths=(/nix/store/${(b)PREFIX}*(N:t))
  paths=(${paths:#*.(drv|lock|check)})
  (( $#paths )) && compadd -a paths
}

# @walk@

# @tables@

# Sourced it registers itself; found in $fpath it is the function.
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _phyllo "$@"
else
  compdef _phyllo phyllo
fi
