# The table of edges: who may use whom. CMake links by it, and tests/layers/
# checks it against the compiler's dependency files and the objects' symbols.
#
#   dt_layer(NAME folder USES layers... LIBRARIES outside libraries...)
#
# A layer may include headers of, and call into, itself and the layers it names
# (not what those name in turn). `core` stands for base, hash, tables, model.

set(DT_CORE base hash tables model)

function(dt_layers)
  # core: what all share; knows nothing of dumps or rules
  dt_layer(base      core/base)
  dt_layer(hash      core/hash            USES base                       LIBRARIES crypto)
  dt_layer(model     core/model           USES base                       LIBRARIES jansson)
  dt_layer(tables    core/tables          USES base model)
  dt_layer(protocol  core/protocol        USES base)
  dt_layer(log       core/log             USES base model)
  # facts: bytes -> facts
  dt_layer(memory    facts/memory         USES core)
  dt_layer(dump      facts/dump           USES core memory)
  dt_layer(image     facts/image          USES core memory)
  dt_layer(kernel    facts/kernel         USES core memory dump image)
  dt_layer(insn      facts/insn           USES core                       LIBRARIES capstone)
  dt_layer(symbol    facts/symbol         USES core memory dump image)
  dt_layer(stack     facts/stack          USES core memory dump insn image symbol)
  dt_layer(triage    facts/triage         USES core memory dump kernel image insn stack symbol)
  dt_layer(archive   facts/archive        USES core                       LIBRARIES archive)
  dt_layer(worker    facts/worker         USES core protocol archive symbol triage LIBRARIES seccomp)
  # judgement: facts -> judgement; pure
  dt_layer(blame     judgement/blame      USES core)
  dt_layer(bucket    judgement/bucket     USES core)
  dt_layer(signature judgement/signature  USES core                       LIBRARIES yaml pcre2)
  dt_layer(verdict   judgement/verdict    USES core blame bucket signature)
  # report: one file per output format
  dt_layer(report    report               USES core)
  # fleet: many crashes
  dt_layer(pool      fleet/pool           USES core protocol)
  dt_layer(fetch     fleet/fetch          USES core log symbol)
  dt_layer(metrics   fleet/metrics        USES base                       LIBRARIES microhttpd)
  dt_layer(queue     fleet/queue          USES base                       LIBRARIES rabbitmq)
  dt_layer(walk      fleet/walk           USES base)
  dt_layer(incident  fleet/incident       USES core                       LIBRARIES m)
  dt_layer(store     fleet/store          USES core incident              LIBRARIES sqlite3 pq zstd)
  dt_layer(intake    fleet/intake         USES core store signature verdict LIBRARIES pcre2 jansson)
  dt_layer(sink      fleet/sink           USES core                       LIBRARIES curl ssl crypto jansson)
  dt_layer(review    fleet/review         USES core incident store)
  dt_layer(deliver   fleet/deliver        USES core log report store incident review sink LIBRARIES jansson)
  # doors: what people call
  dt_layer(door      doors/common         USES core log protocol symbol fetch signature report)
  dt_layer(scan      doors/scan           USES core log symbol door metrics signature report pool walk queue store intake incident review)
  dt_layer(view      doors/view           USES core incident report store review)
  dt_layer(store_door doors/store         USES core door signature verdict report store incident review view)
  dt_layer(work      doors/work           USES core log symbol door metrics signature report pool walk queue store intake)
  dt_layer(feed      doors/feed           USES core log door metrics signature report store sink deliver)
  dt_layer(http      doors/serve/http     USES base                       LIBRARIES microhttpd)
  dt_layer(web       doors/serve/web      USES core report)
  dt_layer(serve     doors/serve          USES core log symbol door metrics signature report pool store intake incident review sink deliver view http web LIBRARIES jansson)
  dt_layer(library   doors/library        USES core triage symbol signature verdict report)
  dt_layer(cli       doors/cli            USES core triage symbol signature verdict report dump door LIBRARIES jansson)
endfunction()

# Outside libraries: how each is linked. Those marked static are linked from
# their archives, because loading them dynamically costs more start-up than
# the analysis of a dump (README, "Speed").
set(DT_LIBRARY_crypto   static libcrypto.a crypto)
set(DT_LIBRARY_capstone static libcapstone.a capstone)
set(DT_LIBRARY_yaml     static libyaml.a yaml)
set(DT_LIBRARY_seccomp  static libseccomp.a seccomp)
set(DT_LIBRARY_jansson  static libjansson.a jansson)
set(DT_LIBRARY_sqlite3  shared - sqlite3)
set(DT_LIBRARY_pq       shared - pq)
set(DT_INCLUDE_pq       libpq-fe.h postgresql)
set(DT_LIBRARY_pcre2    static libpcre2-8.a pcre2-8)
set(DT_LIBRARY_archive  shared - archive)
set(DT_LIBRARY_rabbitmq shared - rabbitmq)
set(DT_LIBRARY_microhttpd shared - microhttpd)
set(DT_LIBRARY_m        shared - m)
set(DT_LIBRARY_curl     shared - curl)
set(DT_LIBRARY_ssl      static libssl.a ssl)
set(DT_LIBRARY_zstd     shared - zstd)
