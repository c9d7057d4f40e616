/** How text, code and prose alike, becomes words: identifiers are split, forms brought together, short forms written out. */
import { stem } from "./stem.ts";

/** Names, words and numbers as they stand in the text. */
export const TOKEN =
  /[A-Za-z_$\u00c0-\u024f\u0370-\u1fff\u3040-\ufeff\uff66-\uffef][\w$\u00c0-\u024f\u0370-\u1fff\u3040-\ufeff\uff66-\uffef]*|\d+/g;

/** Longer ones are data: base64, hashes, minified code. */
export const MAX_TOKEN_CHARACTERS = 80;
const CJK = /[\u3040-\u9fff\uac00-\ud7af]/;
const BY_SCRIPT = /[\u3040-\u9fff\uac00-\ud7af]+|[^\u3040-\u9fff\uac00-\ud7af]+/g;

export interface Words {
  /** Its parts, normalised. `parseJSONBody` -> pars, json, body. */
  parts: readonly string[];
  /** What only the whole name says: neighbours joined, and all of them. `parseJSONBody` -> parsejson, jsonbody, parsejsonbody. */
  joined: readonly string[];
}

const NONE: Words = { parts: [], joined: [] };
const known = new Map<string, Words>();
/** A repository of 10,000 files has about 200,000 different names; beyond that memory is worth more than time. */
const MAX_KNOWN = 400_000;

/** The words of one token. Remembered: most names of a repository stand in it many times. */
export function wordsOf(token: string): Words {
  const found = known.get(token);
  if (found !== undefined) return found;
  if (token.length > MAX_TOKEN_CHARACTERS) return NONE;
  if (known.size >= MAX_KNOWN) known.clear();
  // Its words may be parts of it, so they are taken from the copy.
  const own = copyOf(token);
  const words = split(own);
  known.set(own, words);
  return words;
}

/** A match is a view of the text that it was found in, which stays in memory for as long as the match does: a whole file for a name. */
export function copyOf(token: string): string {
  return Buffer.from(token, "utf16le").toString("utf16le");
}

function split(token: string): Words {
  if (CJK.test(token)) {
    // Names stand among such text without a space: `修复parse_date的崩溃`.
    const runs = (token.match(BY_SCRIPT) ?? []).map((run) =>
      CJK.test(run) ? { parts: pairs(run), joined: [] } : split(run),
    );
    return { parts: runs.flatMap(({ parts }) => parts), joined: runs.flatMap(({ joined }) => joined) };
  }
  const raw =
    token.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[\u00c0-\u1fff]+|\d+/g)?.map((part) => part.toLowerCase()) ?? [];
  if (raw.length === 1) {
    const only = raw[0]!;
    if (/^\d/.test(only)) return only.length > 2 && only.length < 6 ? { parts: [only], joined: [] } : NONE;
    return only.length > 1 ? { parts: [normal(only)], joined: [] } : NONE;
  }
  const parts = raw.filter((part) => part.length > 1 && !/^\d/.test(part)).map(normal);
  const joined: string[] = [];
  for (let at = 0; at + 1 < raw.length; at++) joined.push(normal(raw[at]! + raw[at + 1]!));
  if (raw.length > 2) joined.push(normal(raw.join("")));
  return { parts, joined };
}

/** Languages written without spaces: two characters at a time are the usual stand-in for words. */
function pairs(token: string): string[] {
  const parts: string[] = [];
  for (let at = 0; at + 1 < token.length; at++) parts.push(token.slice(at, at + 2));
  return parts;
}

function normal(word: string): string {
  return stem(LONG_FORMS.get(word) ?? word);
}

/** What programmers write short and people write out. */
const LONG_FORMS: ReadonlyMap<string, string> = new Map(
  `argument: arg args, parameter: param params, configuration: config conf cfg configs, directory: dir dirs folder folders,
  authentication: auth, initialize: init, message: msg msgs, error: err errs, context: ctx, database: db, environment: env envs,
  function: fn func funcs, string: str strs, number: num, integer: int, boolean: bool, attribute: attr attrs, property: prop props,
  element: elem elems, request: req reqs, response: res resp, document: doc docs, repository: repo repos, implementation: impl,
  library: lib libs, command: cmd cmds, connection: conn conns, index: idx, length: len, maximum: max, minimum: min,
  option: opt opts, package: pkg pkgs, pointer: ptr ptrs, reference: ref refs, regex: regexp re, separator: sep, source: src,
  temporary: tmp temp, value: val vals, variable: var vars, version: ver, iterator: iter, execute: exec, evaluate: eval,
  information: info, delete: del, certificate: cert certs, signature: sig, character: char chars chr, object: obj objs,
  buffer: buf, callback: cb, expression: expr exprs, statement: stmt stmts, declaration: decl decls, definition: def defs,
  allocation: alloc, synchronous: sync, asynchronous: async, administrator: admin, application: app apps, calculate: calc,
  column: col cols, coordinate: coord coords, current: curr cur, dependency: dep deps, description: desc, destination: dest dst,
  difference: diff diffs, extension: ext, generate: gen, identifier: ident id ids, image: img, language: lang langs, library: lib,
  navigation: nav, operation: op ops, organization: org, position: pos, previous: prev, process: proc, recursive: recur,
  register: reg, specification: spec specs, standard: std, statistics: stats stat, style: styles, synchronize: synchronise,
  table: tbl, transaction: tx txn, utility: util utils, vector: vec, window: win, colour: color, behaviour: behavior,
  serialise: serialize, normalise: normalize, initialise: initialize, optimise: optimize,
  acknowledge: ack acks, address: addr addrs, aggregate: agg, architecture: arch, authorization: authz, average: avg, background: bg,
  block: blk, button: btn, compare: cmp, controller: ctrl, coroutine: coro, exception: exc, geometry: geom, graphics: gfx,
  graphql: gql, hardware: hw, header: hdr hdrs, hexadecimal: hex, instruction: insn insns instr, interface: iface ifaces,
  internationalization: i18n, javascript: js, kubernetes: k8s kube, localization: l10n, macos: osx darwin, manager: mgr, memory: mem,
  metadata: meta, millisecond: ms msec millis, multiply: mul, original: orig, packet: pkt pkts, password: passwd pwd,
  permission: perm perms, postgresql: postgres pg psql, random: rand, receive: recv, rectangle: rect, schedule: sched,
  second: sec secs, segment: seg segs, semaphore: sem, sequence: seq seqs, server: srv, socket: sock, template: tmpl tpl,
  timestamp: tstamp, token: tok toks, traceback: tb, websocket: ws`
    .split(",")
    .flatMap((entry) => {
      const [long, short] = entry.trim().split(":") as [string, string];
      return short
        .trim()
        .split(" ")
        .map((form): [string, string] => [form, long]);
    }),
);
