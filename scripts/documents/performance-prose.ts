// The words of docs/performance.md. They say what a figure means and what limits it; no figure stands in them, so that a
// new run makes none of them wrong.

export const prose = {
  opening:
    'Small operations are group-committed and durable before they are answered; listing costs what it returns; large bodies are bound by hashing. ' +
    'This page is made from the results of `npm run bench`, which anybody can repeat in ten minutes. The machine is small and shared: trust ratios within ' +
    'one table, not figures across machines.',

  durability:
    'A figure means little without what the server promises by its 200. Three of the servers here may lose what they have acknowledged when the power ' +
    'goes: they leave flushing to the system. Stowage, the bare server and Ceph do not answer before the bytes are on the disk.',

  throughput:
    'All servers in one run, the same load, strict durability for Stowage with one worker. *bare node:http* is our yardstick: a server without signatures, ' +
    'checks, recovery or S3, that hashes, appends, syncs in groups and keeps its index in memory. It syncs a file that grows; ours writes into room made ahead, which a disk syncs faster. *no-op* does nothing at all: it is the limit of the load, and shows ' +
    'that no figure beside it is. *nginx* is what a server in C reaches that checks no signature, hashes nothing and flushes nothing. s3rver, whose listings break off on large ' +
    'buckets, is asked for 2,000 keys where the others hold 20,000. The Ceph gateway runs with one OSD and uses both cores.',

  latency:
    'Milliseconds: median / 99th percentile, under the load of the table above, so most of it is waiting in line.',

  cost:
    'Processor time of all processes of the server for one operation, in milliseconds. It drifts less than throughput does, and it is what a larger machine ' +
    'divides by.',

  memory:
    'The most memory that all processes of a server had resident in any of these workloads. Of ours a good part are pages of the index, which is a mapped file.',

  claims:
    'A run of its own, longer, beside the bare server alone: its ratios are not those of the tables above, where all servers take turns on two cores. Ratios are taken within each round and their median counts. The list of claims is `bench/claims.ts`; it was made before the figures. A claim that is not reached stays here, with the reason. ' +
    'Reached *by median* only: neither every round nor the ratio by processor time reaches it, so a quieter neighbour may have helped. By processor time: the same ratio from what one operation costs each server, which neighbours on the machine disturb least.',

  limits: `### What limits each

- **PUT of small objects and DELETE** are bound by the processor, not by the disk: group commit shares one sync among all that wait. So the faster the disk
  syncs, the smaller the ratio: on a disk that takes a millisecond or two the bare server waits for it, too; on one that takes a fifth of that, the ratio is
  that of the processor time. Beyond the bare server we pay for the
  signature (two HMACs and a canonical request), for a version row with its checksums, for the index transaction that makes the object visible in listings before
  the 200 leaves, and for the journal's CRCs.
- **GET of small objects**: the signature again, one index lookup, and the CRC of every block before a byte of it is sent. The bare server sends whatever the disk gives it.
- **DELETE**: the bare server forgets a key in a map. We write a record, sync, and take the row out of a tree that survives.
- **Tried for the two**, and kept: one sync for all that wait; the next batch sent to the disk before the last one's answers are written; signing keys kept, and
  signatures checked by one-shot HMACs; one-shot digests for bodies in one piece; XML and headers from templates; rows in fixed places instead of documents; one index
  transaction a batch; looking at connections by a sweep instead of a timer each. Not done, by what was measured: hashing small bodies in threads (the way there and back costs nearly what the
  hash does) and more workers on two cores (see there). What is left is spread thin: see where the main thread's time goes, below.
- **LIST**: rows are read from the tree in order and written as XML by templates; a delimiter seeks past each prefix.
- **Ranges**: each range is checked against the CRCs of the 32 KiB blocks it touches, so up to two blocks more than asked for are read.
- **Large bodies** are bound by MD5, which S3's ETag demands, and by moving bytes through the process once; reads check every block.
- **Multipart**: the parts are large bodies. Completing copies nothing: it writes one manifest. It changes a few rows for each part, though, and so does
  deleting: one operation on an upload of ten thousand parts holds the committing thread, and whoever waits for it, for as long as that takes. Several
  such are not put into one batch.`,

  workers:
    'With more workers, requests are answered by threads of their own and one thread commits for all. On two cores that the load shares, there is nothing to gain; what counts is ' +
    'the time of the main thread for each operation, which alone bounds a machine with many cores.',

  large: 'Compared by MD5 on the way back. Memory does not grow with the object.',

  profiles:
    'Shares of one operation, from the profiler (`node bench/profile.ts`), by the room of ours that was running; the last row is one operation under the profiler, ' +
    'which slows it.',

  growth:
    'Objects of 100 bytes in 1,000 folders, put in turn into all of them, strict. At each size the real engine is started on the store and asked over HTTP. Memory is the ' +
    "process's own; pages of the index that the system caches come on top and can be taken back at any time. Starting does not read the journal: it goes on from the last checkpoint. It does look through the pages of the index, which takes as long as the disk takes to read them where the system no longer has them cached.",

  library:
    'What a test suite pays for a server of its own, in memory, in a fresh process. *stowage* is the package as it is installed; *from source* is this repository, ' +
    'whose types are stripped while it loads.',

  method: `## How it is measured

\`npm run bench\` starts every server on this machine on the loopback, with its data in a temporary folder, and sends the load from processes of its own over raw sockets:
requests signed ahead of time, connections kept alive, nothing pipelined. Rounds are interleaved, forwards and backwards in turn, because a shared machine drifts;
tables show medians. Before each measurement the disk is flushed, so that nobody pays for what another left behind. The answers are checked: every status and length, and for one
request in sixteen the ETag and every byte, so that a fast wrong server is noticed. Random bodies leave nothing to compress.

\`\`\`
npm run bench                                  # the standard suite, under ten minutes; keeps its result
npm run bench -- --only put-4k --rounds 5      # one workload; --list names them all
npm run bench -- --servers stowage,bare        # some servers
npm run bench -- --claims                      # what is claimed, longer, beside the bare server; keeps its result
npm run bench -- --workers 2                   # our engine with two workers too
node bench/profile.ts put-4k                   # where the time of one operation goes
node bench/ten-million.ts --objects 1000000    # the growing store
node bench/library-mode.ts                     # in a test suite
\`\`\`

Results are kept in \`bench/results\` with date, commit and machine. Peers that are not installed are skipped, and the run says so.`,
} as const;
