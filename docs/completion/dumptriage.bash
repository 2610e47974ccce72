# bash completion for dumptriage. Commands and options are asked of the program itself, so that they are those of its version.

_dumptriage_words() {
	"$1" "${@:2}" --help 2>/dev/null
}

# The values of an option that has few.
_dumptriage_values() {
	case $1 in
	-f | --format) case $2 in incidents) echo text json ;; *) echo text json jsonl markdown ticket ecs ocsf cef ;; esac ;;
	--color) echo auto always never ;;
	--hash) echo auto always never ;;
	--machine) echo x64 x86 arm64 ;;
	--kind) echo signature own family ;;
	--auth) echo none token proxy ;;
	--encoding) echo ecs ocsf cef ;;
	--scopes) echo upload read admin ;;
	--log-level) echo error warning info debug ;;
	--log-format) echo text json ;;
	esac
}

_dumptriage_subcommands() {
	case $1 in
	signatures) echo list check test explain new import-vulnerable ;;
	store) echo status upgrade check prune backup export ;;
	token) echo add list revoke ;;
	feed) echo status retry remove ;;
	symbols) echo add list ;;
	esac
}

_dumptriage() {
	local program=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]} words
	COMPREPLY=()
	if [ "$COMP_CWORD" = 1 ]; then
		words="$(_dumptriage_words "$program" | sed -n 's/^  \([a-z]*\) .*/\1/p') --help --version"
	elif [ "$COMP_CWORD" = 2 ] && [ "$command" = config ]; then
		words="$(_dumptriage_words "$program" | sed -n 's/^  \([a-z]*\) .*/\1/p') --config"
	elif words=$(_dumptriage_values "$before" "$command") && [ -n "$words" ]; then
		:
	elif [[ $word == -* ]]; then
		words="$(_dumptriage_words "$program" "$command" | grep -oE "(^|[[ ,])--?[a-z0-9][a-z-]*" | tr -d '[ ,') --help --config --log-level --log-format"
	elif [ "$COMP_CWORD" = 2 ]; then
		words=$(_dumptriage_subcommands "$command")
	fi
	# Where there is no word to offer, bash offers files (complete -o default).
	local IFS=$' \n'
	# shellcheck disable=SC2207 # words have no spaces
	[ -z "$words" ] || COMPREPLY=($(compgen -W "$words" -- "$word"))
}

complete -o default -F _dumptriage dumptriage
