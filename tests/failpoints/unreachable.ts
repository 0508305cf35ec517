// Failpoints that no scenario reaches, each with why. The fewer the better.

const noVersions = 'The engine keeps no versions yet: proven on Ceph (tests/files/ceph.test.ts, orphans.test.ts).';
const oldShape =
  'Run over a database of an older version alone, in the one transaction of `migrate`, which dies elsewhere.';
const failedStart = 'Only where the service cannot be opened: nothing has begun, and the process ends anyway.';
const onlyLooks = 'Looks and changes nothing, in a command of its own.';
const onlyReads = 'Pages and streams for others than the scenarios’ client; nothing is written.';
const alwaysThrows = 'What it waits for throws: that is what it is asked for.';
const changesBetween =
  'Only where bytes vanish or change between two reads of one step: tests/files/kept-promises.test.ts does that by a proxy.';
const longBacklog =
  'Only behind more than one look sees: it reads, and takes as everything is taken (lifecycle/worker.test.ts has it).';
const longShutdown = 'Only where work outlasts an ordered shutdown; an end at once is what all the others are.';

export const unreachable: Readonly<Record<string, string>> = {
  'database/sqlite/sqlite-dialect:init:3': failedStart,
  'bucket/bucket-listing:listVersions:1': noVersions,
  'bucket/bucket-listing:removeVersion:1': noVersions,
  'bucket/probes/probe-reads:probeVersions:2': noVersions,
  'bucket/probes/probe-reads:probeVersions:3': noVersions,
  'bucket/probes/probe-reads:probeVersions:4': noVersions,
  'bucket/probes/probe-requests:cleanUp:4': noVersions,
  'bucket/probes/probe-requests:cleanUp:5': noVersions,
  'bucket/probes/probe-requests:cleanUp:6': noVersions,
  'bucket/remove-object:removeObject:2': noVersions,
  'bucket/remove-object:removeObject:3': noVersions,
  'lifecycle/other-versions:removeOtherVersions:1': noVersions,
  'lifecycle/other-versions:removeOtherVersions:2': noVersions,
  'lifecycle/other-versions:removeOtherVersions:3': noVersions,
  'lifecycle/other-versions:removeOtherVersions:4': noVersions,
  'lifecycle/other-versions:removeOtherVersions:5': noVersions,
  'orphans/mend-finding:mend:3': noVersions,
  'orphans/mend-finding:mend:4': noVersions,
  'orphans/mend-finding:stillHolds:4': noVersions,
  'orphans/mend-finding:stillHolds:5': noVersions,
  'lifecycle/scan-file:scanFile:2': changesBetween,
  'lifecycle/validation:validateFile:1': changesBetween,
  'lifecycle/validation:validateFile:2': changesBetween,
  'lifecycle/validation:validateFile:5': changesBetween,
  'lifecycle/validation:validateFile:6': changesBetween,
  'lifecycle/validation:inspect:5': changesBetween,
  'lifecycle/copy-bytes:giveUp:2':
    'Only where the row is written between two reads: the races of the model have that (tests/proof).',
  'bucket/bucket-listing:listAll:2': 'Only at an endpoint that cannot list versions.',
  'bucket/bucket-listing:pageOfObjects:1': 'Only at an endpoint that cannot list versions.',
  'bucket/probes/probe-forms:probeFormOnce:3': 'Only at an endpoint whose forms can be made to write once.',
  'database/migrations/002-tree:folderOf:1': oldShape,
  'database/migrations/002-tree:run:2': oldShape,
  'database/migrations/002-tree:run:3': oldShape,
  'database/migrations/003-search:run:2': oldShape,
  'database/migrations/009-usage-days:run:2': oldShape,
  'database/migrations/015-given-up:run:2': oldShape,
  'database/migrations/015-given-up:run:3': oldShape,
  'database/open-database:openDatabase:4': failedStart,
  'open-file-service:openFileService:3': failedStart,
  'open-file-service:openFileService:4': failedStart,
  'open-file-service:openFileService:5': failedStart,
  'check-file-service:checkBucket:1': onlyLooks,
  'check-file-service:checkBucket:2': onlyLooks,
  'check-file-service:checkDatabase:1': onlyLooks,
  'check-file-service:checkDatabase:2': onlyLooks,
  'check-file-service:checkDatabase:3': onlyLooks,
  'check-file-service:checkFileService:1': onlyLooks,
  'check-file-service:look:1': onlyLooks,
  'check-file-service:nearestFolder:1': onlyLooks,
  'database/migrations/migrate:countPending:1': onlyLooks,
  'database/open-database:describeDatabase:1': onlyLooks,
  'database/open-database:describeDatabase:2': onlyLooks,
  'database/open-database:describeDatabase:3': onlyLooks,
  'database/open-database:describeDatabase:4': onlyLooks,
  'database/outbox:giveBack:1': longShutdown,
  'database/outbox:giveBack:2': longShutdown,
  'database/webhook-table:giveBack:1': longShutdown,
  'lifecycle/worker:abandon:1': longShutdown,
  'lifecycle/worker:abandon:2': longShutdown,
  'lifecycle/worker:abandon:3': longShutdown,
  'lifecycle/worker:giveReviewsBack:1': longShutdown,
  'lifecycle/worker:reviewUpload:4':
    'Only where an upload past its end waits for its copy: the worker of a scenario copies at once; lifecycle/worker.test.ts has it.',
  'lifecycle/give-up:endWithout:2':
    'Only after each try of a job failed while bucket and scanner were there: lifecycle/worker.test.ts has one that does.',
  'database/empty-trash:emptyTrash:4':
    'Only where the database refuses a slice after it took another: nothing is written behind it.',
  'database/sqlite/sqlite-dialect:choose:1':
    'Only for a statement that writes outside a transaction, which the service has none of.',
  'lifecycle/fair-work:giveBack:1': longShutdown,
  'lifecycle/fair-work:takeBehind:1': longBacklog,
  'lifecycle/fair-work:takeBehind:2': longBacklog,
  'database/due-rows:listHeads:1': longBacklog,
  'database/due-rows:listHeads:2': longBacklog,
  'database/file-trash:followFolder:2':
    'Only where the row is written between two statements of one read; nothing is written then.',
  'open-file-service:answered:1': longShutdown,
  'service/close-service:closeService:2': longShutdown,
  'service/close-service:closeService:3': longShutdown,
  'service/close-service:settledWithin:1': longShutdown,
  'orphans/orphans:workOnce:7': longShutdown,
  'accounts/members:renameGroup:2': alwaysThrows,
  'accounts/members:removeGroup:2': alwaysThrows,
  'sharing/archives:inputs:2': onlyReads,
  'http/app:addPublicPages:1': onlyReads,
  'http/service-pages:addServicePages:1': onlyReads,
  'http/service-pages:addServicePages:2': onlyReads,
  'usage/usage-report:cancel:1': onlyReads,
  'lifecycle/worker:review:9': 'Only for a state that has no review; none leads there.',
  'service/open-ground:openTracingIfAsked:1': 'Only with tracing, before anything is opened.',
};
