# Completion of walras for bash; printed by walras generate bash.

_walras_files() {
  local IFS=$'\n' suffix
  compopt -o filenames 2>/dev/null
  COMPREPLY=($(compgen -d -- "$cur"))
  for suffix; do COMPREPLY+=($(compgen -f -X "!*.$suffix" -- "$cur")); done
}

_walras() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command= word
  COMPREPLY=()
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in
      run|resume|check|list|describe|info|report|diff|generate) command=$word; break ;;
    esac
  done
  case $prev in
    --output|-o) _walras_files h5; return ;;
    --parameter|-P) return ;;
    --seed) return ;;
    --checkpoint-every) return ;;
    --max-walltime) return ;;
    --gradients) return ;;
    --log) COMPREPLY=($(compgen -W json -- "$cur")); return ;;
  esac
  case $command:$cur in
    :-*) COMPREPLY=($(compgen -W "--help -h --version -V" -- "$cur")) ;;
    :*) COMPREPLY=($(compgen -W "run resume check list describe info report diff generate" -- "$cur")) ;;
    run:-*) COMPREPLY=($(compgen -W "--output -o --parameter -P --seed --force -f --checkpoint-every --max-walltime --dry-run --quiet -q --log --help -h --version -V" -- "$cur")) ;;
    run:*) _walras_files lua json ;;
    resume:-*) COMPREPLY=($(compgen -W "--force -f --checkpoint-every --max-walltime --quiet -q --log --help -h --version -V" -- "$cur")) ;;
    resume:*) _walras_files h5 ;;
    check:-*) COMPREPLY=($(compgen -W "--parameter -P --seed --gradients --log --help -h --version -V" -- "$cur")) ;;
    check:*) _walras_files lua json ;;
    list:-*) COMPREPLY=($(compgen -W "--help -h --version -V" -- "$cur")) ;;
    list:*) COMPREPLY=($(compgen -W "$(walras list 2>/dev/null | sed -n 's/^\([a-z_]*\)$/\1/p')" -- "$cur")) ;;
    describe:-*) COMPREPLY=($(compgen -W "--help -h --version -V" -- "$cur")) ;;
    describe:*) COMPREPLY=($(compgen -W "$(walras list 2>/dev/null | sed -n 's/^  \([a-z0-9_]*\) .*/\1/p')" -- "$cur")) ;;
    info:-*) COMPREPLY=($(compgen -W "--schema --help -h --version -V" -- "$cur")) ;;
    info:*) _walras_files h5 ;;
    report:-*) COMPREPLY=($(compgen -W "--output -o --force -f --help -h --version -V" -- "$cur")) ;;
    report:*) _walras_files h5 ;;
    diff:-*) COMPREPLY=($(compgen -W "--help -h --version -V" -- "$cur")) ;;
    diff:*) _walras_files h5 ;;
    generate:-*) COMPREPLY=($(compgen -W "--help -h --version -V" -- "$cur")) ;;
    generate:*) COMPREPLY=($(compgen -W "man bash zsh" -- "$cur")) ;;
  esac
}

complete -F _walras walras
