# bash completion for hsw; written by `npm run docs`, do not edit.
_hsw() {
  local IFS=$' \t\n'
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command= flags= place=0 i word
  # Bash takes `--flag=value` for three words.
  if [[ $cur == = ]]; then cur=; elif [[ $prev == = ]]; then prev=${COMP_WORDS[COMP_CWORD - 2]}; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    case $command:$word in
      init:--config | init:--key-file | init:--key-expires | init:--base-url | init:--organization | init:--experiment | init:--warehouse) ((i++)) ;;
      doctor:--config) ((i++)) ;;
      sync:--config | sync:--experiment | sync:--data | sync:--from | sync:--to) ((i++)) ;;
      plan:--config | plan:--experiment | plan:--data) ((i++)) ;;
      verify:--config | verify:--experiment | verify:--data) ((i++)) ;;
      media:--config) ((i++)) ;;
      daemon:--config) ((i++)) ;;
      dashboard:--config) ((i++)) ;;
      open:--config | open:--experiment | open:--warehouse) ((i++)) ;;
      status:--config | status:--experiment) ((i++)) ;;
      query:--config | query:--format | query:--warehouse) ((i++)) ;;
      export:--config | export:--data | export:--participant | export:--room | export:--experiment | export:--format | export:--out) ((i++)) ;;
      snapshot:--config | snapshot:--out | snapshot:--experiment | snapshot:--format | snapshot:--key | snapshot:--warehouse) ((i++)) ;;
      publish:--config | publish:--to | publish:--lab | publish:--grace | publish:--warehouse) ((i++)) ;;
      diff:--config | diff:--experiment) ((i++)) ;;
      codebook:--config | codebook:--experiment | codebook:--format | codebook:--out | codebook:--warehouse) ((i++)) ;;
      certify:--config | certify:--experiment | certify:--out | certify:--check | certify:--warehouse) ((i++)) ;;
      erase:--config | erase:--participant | erase:--room) ((i++)) ;;
      privacy:--config) ((i++)) ;;
      install-service:--config | install-service:--root) ((i++)) ;;
      alerts:--config) ((i++)) ;;
      completion:--config) ((i++)) ;;
      demo:--config | demo:--out) ((i++)) ;;
      simulator:--config | simulator:--port | simulator:--seed) ((i++)) ;;
      :--config) ((i++)) ;;
      *:-* | *:=) ;;
      :*) command=$word ;;
      *) ((place++)) ;;
    esac
  done
  COMPREPLY=()
  case $command:$prev in
    *:--config) _hsw_files ;;
    init:--key-file) _hsw_files ;;
    init:--key-expires) : ;;
    init:--base-url) : ;;
    init:--organization) : ;;
    init:--experiment) : ;;
    init:--warehouse) _hsw_files ;;
    sync:--experiment) : ;;
    sync:--data) _hsw_words 'experiments experiment-configs deployments deployment-sessions rooms participants events recordings chat videochat ratings/continuous ratings/sparse sync eyetracking components variables agent-decisions agent-runs agent-spend' ;;
    sync:--from) : ;;
    sync:--to) : ;;
    plan:--experiment) : ;;
    plan:--data) _hsw_words 'experiments experiment-configs deployments deployment-sessions rooms participants events recordings chat videochat ratings/continuous ratings/sparse sync eyetracking components variables agent-decisions agent-runs agent-spend' ;;
    verify:--experiment) : ;;
    verify:--data) _hsw_words 'experiments experiment-configs deployments deployment-sessions rooms participants events recordings chat videochat ratings/continuous ratings/sparse sync eyetracking components variables agent-decisions agent-runs agent-spend' ;;
    open:--experiment) : ;;
    open:--warehouse) _hsw_files ;;
    status:--experiment) : ;;
    query:--format) _hsw_words 'table csv json' ;;
    query:--warehouse) _hsw_files ;;
    export:--data) _hsw_words 'experiments experiment-configs deployments deployment-sessions rooms participants events recordings chat videochat ratings/continuous ratings/sparse sync eyetracking components variables agent-decisions agent-runs agent-spend' ;;
    export:--participant) : ;;
    export:--room) : ;;
    export:--experiment) : ;;
    export:--format) _hsw_words 'ndjson csv' ;;
    export:--out) _hsw_files ;;
    snapshot:--out) _hsw_files ;;
    snapshot:--experiment) : ;;
    snapshot:--format) _hsw_words 'sqlite csv parquet psych-ds' ;;
    snapshot:--key) _hsw_files ;;
    snapshot:--warehouse) _hsw_files ;;
    publish:--to) _hsw_files ;;
    publish:--lab) : ;;
    publish:--grace) : ;;
    publish:--warehouse) _hsw_files ;;
    diff:--experiment) : ;;
    codebook:--experiment) : ;;
    codebook:--format) _hsw_words 'md html csv datasette' ;;
    codebook:--out) _hsw_files ;;
    codebook:--warehouse) _hsw_files ;;
    certify:--experiment) : ;;
    certify:--out) _hsw_files ;;
    certify:--check) _hsw_files ;;
    certify:--warehouse) _hsw_files ;;
    erase:--participant) : ;;
    erase:--room) : ;;
    install-service:--root) _hsw_files ;;
    demo:--out) _hsw_files ;;
    simulator:--port) : ;;
    simulator:--seed) : ;;
    *)
      case $command in
        '') _hsw_words 'init doctor sync plan verify media daemon dashboard open status query export snapshot publish diff codebook certify erase privacy install-service alerts completion demo simulator --version --config --json --help' ;;
        init) flags='--key-file --key-expires --base-url --organization --experiment --all --warehouse --yes --help --config --json' ;;
        doctor) flags='--spec --fix --help --config --json' ;;
        sync) flags='--experiment --data --full --from --to --dry-run --accept-deletes --accept-schema --help --config --json' ;;
        plan) flags='--experiment --data --full --help --config --json' ;;
        verify) flags='--repair --deep --experiment --data --media --accept-deletes --help --config --json' ;;
        media) flags='--help --config --json' ;;
        daemon) flags='--help --config --json' ;;
        dashboard) flags='--help --config --json' ;;
        open) flags='--experiment --warehouse --help --config --json' ;;
        status) flags='--experiment --streams --problems --watch --help --config --json' ;;
        query) flags='--format --warehouse --help --config --json' ;;
        export) flags='--data --participant --room --experiment --format --out --quarantined --help --config --json' ;;
        snapshot) flags='--out --experiment --format --excel --allow-incomplete --deidentify --with-free-text --key --warehouse --help --config --json' ;;
        publish) flags='--to --lab --grace --all --warehouse --help --config --json' ;;
        diff) flags='--experiment --help --config --json' ;;
        codebook) flags='--experiment --format --out --warehouse --help --config --json' ;;
        certify) flags='--experiment --out --check --warehouse --help --config --json' ;;
        erase) flags='--participant --room --dry-run --yes --help --config --json' ;;
        privacy) flags='--new-key --clean --dry-run --yes --help --config --json' ;;
        install-service) flags='--timer --labs --install --force --root --help --config --json' ;;
        alerts) flags='--help --config --json' ;;
        completion) flags='--help --config --json' ;;
        demo) flags='--out --help --config --json' ;;
        simulator) flags='--port --seed --help --config --json' ;;
      esac
      if [[ $cur == -* ]]; then _hsw_words "$flags"; return; fi
      case $command::$place in
        sync::0) _hsw_words 'now' ;;
        query::0) : ;;
        snapshot::0) : ;;
        snapshot::1) _hsw_files ;;
        diff::0) _hsw_files ;;
        diff::1) _hsw_files ;;
        alerts::0) _hsw_words 'test' ;;
        completion::0) _hsw_words 'bash zsh fish' ;;
      esac
      ;;
  esac
}

_hsw_words() {
  COMPREPLY=($(compgen -W "$1" -- "$cur"))
}

_hsw_files() {
  compopt -o default 2>/dev/null && return
  local IFS=$'\n'
  COMPREPLY=($(compgen -f -- "$cur"))
}

complete -F _hsw hsw hyperstudy-warehouse
