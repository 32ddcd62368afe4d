// `hemi help`: what there is to type.

import { exitCodes, type ExitCode } from "../exit-code.ts";

const text = `Usage: hemi COMMAND [OPTION …]

Commands
  serve             serve a configuration until told to end (SIGINT, SIGTERM)
  check             read a configuration, say PASS or what is wrong with it
  fmt [FILE …]      lay configuration files out in the one way; - is standard input
  help              this text
  version           the versions of Hemi and Node.js

Options of serve and check
  --config FILE     the configuration; default: hemi.conf
  --base DIR        what relative paths in it start from; default: the working directory
  --use MODULE      a pack of components: a file or a package; may be given several times

Options of serve
  --grace TIME      how long what runs may take to finish at the end; default: 4s
  --log-level L     debug, info, warn or error; default: info
  --log-format F    text or json; default: text
  --log-file FILE   default: standard error
  --single          one process; there are no others as yet

Options of fmt
  --check           change nothing; name the files that would change, and fail if there is one

Each option may be written with one dash: -config FILE.
Exit codes: 0 fine, 1 wrong use or configuration, 2 environment (a port that is taken, a file that cannot be read).
`;

export function help(): ExitCode {
  process.stdout.write(text);
  return exitCodes.fine;
}
