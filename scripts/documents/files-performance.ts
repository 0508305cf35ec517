// The part of docs/performance.md that is about the file service: what it does in a second, in a tenant that grows, and what it costs
// to bring bytes in beside a server that they go through. No figure stands in the prose.

import type { FilesResult, GrownTenantFigure, ResultFrame } from '../../bench/results.ts';
import { table } from './markdown.ts';

interface Formats {
  readonly figure: (value: number) => string;
  readonly measuredWhere: (frame: ResultFrame) => string;
}

const prose = {
  opening:
    'Measured by `node bench/files/run.ts`: service, database, engine and load on the one machine, the engine strict. What stands here is the whole request, ' +
    'with session, rights, schemas and the row in the database; latencies are those of a machine that is busy with all of it.',
  rates:
    'Sixteen requests at a time. *Begun* is a row and a reservation, durable, and a signed request; *completed* asks the bucket what it holds and moves the row, while the files before it ' +
    'are being checked. The last column is processor time of the service for one.',
  grown:
    'One client, one request at a time, median / 99th percentile in milliseconds. Rows are what the service writes for a file that is ready, filled in by SQL; a tenth lie in ' +
    'one folder. A rename is one row, whatever lies in the folder; pages are read off an index from where the cursor says.',
  uploads:
    'The same files into the same engine, in turns, four at a time: by the file service, which signs and looks, and by @tus/server with its S3 store, which every byte goes through. ' +
    'Through the service: bytes of request bodies that it took. The engine hashes and syncs the bytes either way.',
} as const;

export function filesSections(files: FilesResult, { figure, measuredWhere }: Formats): string[] {
  return [
    `## The file service\n\n${prose.opening}`,
    measuredWhere(files),
    table(
      ['Database', 'Durability'],
      files.durability.map(({ database, durability }) => [database, durability]),
    ),
    ...(files.rates.length === 0 ? [] : ratesSection(files, figure)),
    ...(files.grown.length === 0 ? [] : grownSection(files, figure)),
    ...(files.uploads.length === 0 ? [] : uploadsSection(files, figure)),
  ];
}

function ratesSection({ rates }: FilesResult, figure: Formats['figure']): string[] {
  const milliseconds = (value: number | undefined): string => (value === undefined ? '' : `${figure(value)} ms`);
  const rows = rates.map(({ database, what, perSecond, p50Ms, p99Ms, cpuMsPerUnit }) => [
    what,
    database,
    figure(perSecond),
    milliseconds(p50Ms),
    milliseconds(p99Ms),
    milliseconds(cpuMsPerUnit),
  ]);
  return [
    `### In a second\n\n${prose.rates}`,
    table(['', 'Database', 'A second', 'Median', '99th percentile', 'Processor time'], rows),
  ];
}

function grownSection({ grown }: FilesResult, figure: Formats['figure']): string[] {
  const columns = [...new Map(grown.map((each) => [columnOf(each), each])).values()];
  const rows = [...Map.groupBy(grown, ({ what }) => what)].map(([what, figures]) => [
    what,
    ...columns.map((column) => {
      const found = figures.find((each) => columnOf(each) === columnOf(column));
      return found === undefined ? '' : `${figure(found.p50Ms)} / ${figure(found.p99Ms)}`;
    }),
  ]);
  const head = columns.map(({ database, files }) => `${database}, ${figure(files)} files`);
  return [`### In a tenant that grows\n\n${prose.grown}`, table(['', ...head], rows)];
}

function columnOf({ database, files }: GrownTenantFigure): string {
  return `${database} ${files}`;
}

function uploadsSection({ uploads }: FilesResult, figure: Formats['figure']): string[] {
  const rows = uploads.map((each) => [
    `${figure(each.fileBytes / 2 ** 20)} MiB`,
    each.way,
    figure(each.megabytesPerSecond),
    `${figure((each.bytesThroughService * 100) / (each.fileBytes * each.files))} %`,
    figure(each.serviceCpuSecondsPerGigabyte),
    figure(each.engineCpuSecondsPerGigabyte),
    figure(each.servicePeakMemoryBytes / 1e6),
  ]);
  const head = ['MB/s', 'Through the service', 'Its processor seconds a GB', 'The engine’s', 'Its peak memory, MB'];
  return [`### Beside bytes that go through\n\n${prose.uploads}`, table(['Files of', 'By', ...head], rows)];
}
