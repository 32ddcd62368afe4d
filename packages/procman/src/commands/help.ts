// `hemi help`: lists commands and options.

import { HemiError } from "@hemi/hemi/base";
import type { CommandLine } from "../command-line.ts";
import { commandNames } from "../command-options.ts";
import { exitCodes, type ExitCode } from "../exit-code.ts";

const text = `Usage: hemi COMMAND [OPTION …]

Commands
  serve             serve a configuration until told to end (SIGINT, SIGTERM, SIGQUIT); SIGHUP reloads, SIGUSR1 reopens
                    log files, SIGUSR2 replaces the workers
  check             read a configuration and the files that it names, say PASS or what is wrong
  plan [OLD NEW]    what a reload of the running program would change; or what differs between two files
  reload            let the running program follow its configuration file: all workers, or none
  rework            replace the workers of the running program one by one: new code, new environment
  reopen            let the running program open its log files anew
  workers, leader, pids
                    the processes of the running program
  top               a live table of what the components do: rates, errors, durations; keys sort it
  status            how the running program is, on one screen
  cpu, heap, report a profile of the processor, a snapshot of the heap, or Node's diagnostic report of a worker
  loop, gc          how late the event loop of a worker is, and how long its garbage collections take, measured for
                    a while
  advise            watches the program and its machine for a while; says what to change, and why
  backend [B [node N drain|up|weight W]]
                    the nodes of backends with their states; drains one, or gives it another weight
  log-level LEVEL   another level of the error log for a while (--for, default: 5m), for all or for a component
                    (--path); default ends it; without a level, what is in force
  trace REQUEST-ID  what is and was done for a request that is under way, or that was sampled
  logs --follow     access lines of all workers as requests end
  cache purge|explain URL
                    removes stored responses in all workers; or what is stored for a URL, and why
  cron list|preview|run|history [NAME]
                    the cronjobs of the running program: when they run, how they ran; or run one now
  webui             the link that opens the web UI of the running program
  quit, stop        end the running program: in order, or at once
  explain [METHOD] URL
                    which server, hostname, rule and handlet would get a request, and why
  explain tcp|udp|quic [ADDRESS]
                    the same for a connection: which router, case, dealet and node
  rpc call|list|proto
                    call a procedure of an RPC server, list its services, or write a .proto file
  fmt [FILE …]      lay configuration files out in the one way; - is standard input
  hash-password [NAME]
                    ask for a password, or read it from standard input, and print its line for .users of basicAuth
  help [COMMAND]    this text, or more about explain, backend, cache, cron or rpc
  version           the versions of Hemi and Node.js

Options of serve, check, explain and plan (check takes --json, too)
  --config FILE     the configuration; default: hemi.conf
  --base DIR        what relative paths in it start from; default: the working directory
  --use MODULE      a pack of components: a file or a package; may be given several times

  --logs, --tmps, --vars FOLDER
                    %logsDir, %tmpsDir, %varsDir; default: logs, tmps and vars in the base directory

Options of the commands for a running program
  --base DIR, --vars FOLDER
                    those of the program: its control socket is hemi.sock in the vars folder
  --admin ADDRESS   a program on another machine, or of another user; see below
  --admin-token FILE
                    its token; default: admin.token in the vars folder
  --admin-ca FILE   the authority of its certificate; without it, the loopback address is asked without TLS
  --json            for programs
  --once            top: one table, for scripts
  --for TIME        top: the time between two tables, default: 1s; cpu, loop, gc, advise: how
                    long to measure, default: 10s
  --path P          log-level: the path of a component, such as webapp.shop
  --worker N        cpu, heap, report, loop, gc: the worker's slot; default: 0
  --out FILE        cpu, heap, report: the file to write; default: one in the working directory

Options of logs
  --follow          go on until it is interrupted
  --path P          requests whose path begins with P; or, without a slash, those of a component: webapp.shop
  --status S        404, or a class: 5xx
  --slow TIME       requests that took at least so long, such as 200ms
  --json            a JSON object for each request

Options of reload and rework
  --rework          reload: by new workers, which load changed modules: see rework
  --leader          rework: a new leader takes over, too: new versions of Hemi and Node.js, new options of main()

Options of serve
  --workers N       how many processes serve; auto, the default: one for each core that the program may use
  --stall TIME      a worker whose event loop stands still for so long is reported, with the line of code, and
                    replaced; default: 5s, 0s: never
  --max-memory SIZE
                    a worker that uses more than this, such as 512M or 2G, is replaced; default: there is no limit
  --admin ADDRESS   take commands over TCP, too: on a loopback address such as 127.0.0.1:9000, or on any one with TLS
  --admin-token FILE
                    what clients must know; default: admin.token in the vars folder, which is made
  --admin-cert, --admin-key FILE
                    certificate and key for TLS, in PEM
  --webui ADDRESS   where the web UI is, on a loopback address; off: nowhere; default: 127.0.0.1:9528, with --single
                    and --dev in a terminal only; there, its link is written to standard error
  --patience TIME   how long the check of a configuration, the preparation of a reload, and the start of a new
                    leader may take; a new worker has twice that time; default: 30s
  --user, --group   whose rights workers have: a name or a number; the leader binds ports before; default of the group:
                    that of the user
  --grace TIME      how long what runs may take to finish at the end; default: 4s
  --drain-delay TIME
                    how long health checks fail before the program stops listening at the end; default: 0s
  --daemon          return when the program serves, which goes on in the background
  --pid-file FILE   gets the process id of the leader
  --stdout, --stderr FILE
                    for what workers write there; reopened like logs; default with --daemon: stdout.log and stderr.log
                    in the logs folder
  --log-level L     debug, info, warn or error; default: info
  --log-format F    text or json; default: text
  --log-file FILE   default: standard error
  --dev             development: the built-in page for what no rule takes shows what hemi explain would;
                    it tells strangers of the configuration
  --single          one process, which serves itself; --dev implies it

Options of explain
  -H "NAME: VALUE"  a header field of the request; may be given several times
  --from ADDRESS    the client's address; default: 127.0.0.1
  --server NAME     the server that gets it, whatever the URL says
  --to ADDRESS, --sni NAME, --alpn NAME, --bytes TEXT
                    of explain tcp, udp and quic: what the client connects to, asks for in TLS, and sends first
  --running         ask the running program, with the state of its backends, instead of reading a file
  --json            for programs

Options of fmt
  --check           change nothing; name the files that would change, and fail if there is one

Each option may be written with one dash: -config FILE.
Exit codes: 0 fine, 1 wrong use or configuration, 2 environment (a port that is taken, a file that cannot be read),
3 explain: nothing takes the request, 4 rpc: the call failed.
`;

const explainText = `Usage: hemi explain [OPTION …] [METHOD] URL

Tells what would become of a request, step by step: which servers listen where the URL leads, which webapp has its
hostname, what its path is once it is normalised, which rules match it, term by term with the values compared, and
who would answer. Each line begins with the place in the configuration.

Nothing is done: no handler runs, no socket is opened, no log is written. File tests do look at files.

  hemi explain --config shop.conf GET https://shop.example/assets/app.js
  hemi explain --config shop.conf -H "accept: text/html" --from 10.0.0.1 http://shop.example:3080/
  hemi explain --config shop.conf --server main https://shop.example/     behind a proxy: name the server
  hemi explain --config proxy.conf --server proxy CONNECT shop.example:443

  hemi explain --config door.conf tcp 10.0.0.1:5000 --to :443 --sni a.example --alpn h2
  hemi explain --config door.conf tcp --to :443 --bytes "SSH-2.0-"        \\r, \\n and \\x00 stand for bytes

METHOD is GET unless it is given. A field host given by -H goes before the host of the URL; the URL alone says which
server is asked. With --server NAME that one is asked whatever the URL says. A URL may be a path: /assets/app.js.

A handlet that takes a request says what it would do; one that cannot know without running "may take it". What a
server would refuse before it looks for a webapp, such as a head that is too large, is not told.

Colours are used on a terminal, unless NO_COLOR is set. --json gives the whole walk for programs: the type Walk of
@hemi/hemi.

Exit codes: 0 something takes the request, or may; 3 nothing does (400, 404, 421, 501, or no server listens there);
1 wrong use or configuration; 2 environment.
`;

const cacheText = `Usage: hemi cache purge [--soft] [--dry-run] URL …
       hemi cache purge [--soft] [--dry-run] --prefix URL | --tag TAG | --all
       hemi cache explain [--json] [-H FIELD] URL

purge removes stored responses of all caches of the running program, in all workers, and those that are being
fetched: by URL, with all variants; by the beginning of URLs; by a tag that responses carry in cache-tag or
surrogate-key; or all. Several may be given at once.

  hemi cache purge https://shop.example/products?page=2
  hemi cache purge --prefix https://shop.example/images/ --tag product-7
  hemi cache purge --all --dry-run

  --soft            keep them, but validate them before their next use; they may stand in for a backend that is down
  --dry-run         only count

explain says for each cache under which key the URL is stored, the stored variants with their tags, how their
freshness is worked out, what a request would get, and why the last response was not stored. Where .key has cookies
or fields, say which the request has: -H "cookie: lang=de".

Options for both: --base DIR, --vars FOLDER (those of the program), --json.
`;

const cronText = `Usage: hemi cron list
       hemi cron preview [--year YEAR] [NAME]
       hemi cron run NAME
       hemi cron history [NAME]

list shows the cronjobs of the running program: when each runs next, and how it ran last. preview shows when they
will run: the next ten times, or all of a year, with the changes of summer time. run lets one run now, in the worker
that runs cronjobs, and waits until it has ended. history shows the last runs on this machine, and why they failed.

  hemi cron preview --year 2027 backup
  hemi cron run backup

Options for all: --base DIR, --vars FOLDER (those of the program), --json.
Exit codes of run: 0 it has succeeded, 2 it has failed or was aborted.
`;

const backendText = `Usage: hemi backend [--json] [B]
       hemi backend B node N drain | up | weight W | weight default

Shows the nodes of backend B, or of all: the state, the weight, the requests that a node has, its failures, and the
reason of the last one. Numbers are summed over all workers; failures are those since the workers know the node.

  hemi backend
  hemi backend api node 10.0.0.1:8080 drain
  hemi backend api node 10.0.0.1:8080 up
  hemi backend api node 10.0.0.1:8080 weight 3

  drain             no new requests and connections; what runs is finished
  up                takes requests again, unless its health checks fail
  weight W          its share of the work, from 1 to 1000; default: that of the configuration

N is a node as it is written in the configuration, or one of the addresses of its name. An order stays over reloads
and in new workers until it is told otherwise, or the program ends. hemi plan and hemi status show it.
`;

const rpcText = `Usage: hemi rpc list [--json] URL [SERVICE]
       hemi rpc call [-H "NAME: VALUE"] [--for TIME] URL pkg.Service/Method [JSON …]
       hemi rpc proto MODULE --out FILE.proto [--check]

list asks a server for its services, by reflection (grpc.reflection, v1 and v1alpha), or for the procedures of one.

call calls a procedure, and prints each message of the answer as JSON on a line of its own. Messages are in the JSON
of protobuf; a procedure that takes a stream gets one for each argument.

  hemi rpc list http://127.0.0.1:50051
  hemi rpc call http://127.0.0.1:50051 shop.v1.Stock/Find '{"sku":"apple"}'
  hemi rpc call hrpc://127.0.0.1:50051 shop.v1.Stock/Find '{"sku":"apple"}'

  URL               http://host:port or https://host: by gRPC; hrpc://host:port or hrpcs://host: by hrpc
  -H "NAME: VALUE"  metadata; the value of a name that ends in -bin is base64
  --for TIME        the deadline; default: 30s

proto writes the .proto file of the bundlets that a module declares in TypeScript and exports. FILE.proto.lock.json
keeps the number of each field: commit it. A field that is removed keeps its number; one that changes its type is an
error.

  --check           change nothing; name the files that would change, and fail if there is one

Exit codes: 0 fine, 1 wrong use, 4 the server answered with an error, or not at all.
`;

const texts: ReadonlyMap<string, string> = new Map([
  ["explain", explainText],
  ["backend", backendText],
  ["cache", cacheText],
  ["cron", cronText],
  ["rpc", rpcText],
]);

export function help({ rest: [command] }: Pick<CommandLine, "rest">): ExitCode {
  if (command !== undefined && !commandNames.some((name) => name === command)) {
    throw new HemiError("HEMI_USAGE", `there is no command ${command}; see hemi help`);
  }
  process.stdout.write(texts.get(command ?? "") ?? text);
  return exitCodes.fine;
}
