# Of the words in `before`: which command they are about, which option waits for its value (`option`, and `takes` says whether for one or
# many), how many arguments came (`position`), and whether `--` ended the options (`ended`).
_phyllo_walk() {
  local word
  command='' option='' takes='' position=0 ended=''
  _phyllo_command ''
  for word in "${before[@]}"; do
    if [[ $takes == one ]]; then
      option='' takes=''
    elif [[ -z $ended && $word == -?* ]]; then
      [[ $word == -- ]] && ended=1
      option=$word
      # A value after `=` is there already.
      _phyllo_option "$command" "$word" || option=''
    elif [[ -z $option ]]; then
      if _phyllo_command "${command:+$command }$word"; then
        command="${command:+$command }$word" position=0
      else
        position=$((position + 1))
      fi
    fi
  done
}
