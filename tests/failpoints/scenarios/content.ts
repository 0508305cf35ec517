// What is done with bytes once they are there: judged, scanned, drawn, stripped.

import assert from 'node:assert/strict';
import sharp from 'sharp';
import { zipOf } from '../../files/hostile-bytes.ts';
import { infectionMark as malware } from '../../proof/scanner-server.ts';
import type { Scenario } from '../scenario.ts';
import { dayMs, hourMs, minuteMs } from '../world.ts';

const picture = (): Promise<Buffer> =>
  sharp({ create: { width: 40, height: 30, channels: 3, background: 'teal' } })
    .jpeg()
    .withExif({ IFD0: { Artist: 'somebody' } })
    .toBuffer();

export const contentScenarios = {
  scanned: {
    options: ({ scanner }) => ({ clamd: { address: scanner.address } }),
    play: async (world) => {
      await world.upload('clean');
      const bad = await world.announce({ sizeBytes: malware.length });
      await world.send(bad, Buffer.from(malware));
      await world.call('completeUpload', { id: bad.id });
      await world.tick();
      world.promiseState(bad.id, 'quarantined', 'purging', 'purged');
      await world.pass(8 * dayMs);
      await world.pass(hourMs);
    },
  },
  setAside: {
    options: ({ scanner }) => ({ clamd: { address: scanner.address } }),
    play: async (world) => {
      const ids: string[] = [];
      for (let count = 0; count < 3; count++) {
        const bad = await world.announce({ sizeBytes: malware.length });
        await world.send(bad, Buffer.from(malware));
        await world.call('completeUpload', { id: bad.id });
        ids.push(bad.id);
      }
      await world.tick();
      const [rescanned = '', released = '', deleted = ''] = ids;
      await world.call('listQuarantine');
      // What was done and not heard of is done no second time.
      await world.once('rescanQuarantined', 'wrong-state', { id: rescanned });
      await world.once('releaseQuarantined', 'wrong-state', { id: released, body: { reason: 'it is ours' } });
      await world.once('deleteQuarantined', 'wrong-state', { id: deleted });
      await world.tick();
      world.promiseState(rescanned, 'quarantined', 'purging', 'purged');
      // Cut off between its two steps, a release is undone by the next scan.
      world.promiseState(released, 'ready', 'quarantined', 'purging', 'purged');
      world.promiseState(deleted, 'purging', 'purged');
    },
  },
  scannerAway: {
    options: ({ scanner }) => ({
      clamd: { address: scanner.address },
      policies: { default: { scan: 'required' }, notes: { scan: 'when-available' } },
      limits: { scanMaxBytes: 5 },
    }),
    play: async (world) => {
      world.stage.scanner.isUp = false;
      try {
        const held = await world.announce({ sizeBytes: 4 });
        const released = await world.announce({ sizeBytes: 4, category: 'notes' });
        const large = await world.announce({ sizeBytes: 6 });
        for (const upload of [held, released]) await world.send(upload, Buffer.from('text'));
        await world.send(large, Buffer.from('larger'));
        for (const { id } of [held, released, large]) await world.call('completeUpload', { id });
        await world.tick();
        await world.pass(2 * hourMs);
        world.promiseBytes(released.fileId, 'text');
        world.promiseState(large.id, 'scan-failed', 'purging', 'purged');
        const { state } = await world.call('getUpload', { id: held.id });
        assert.equal(state, 'scanning');
        world.stage.scanner.isUp = true;
        await world.pass(11 * minuteMs);
        world.promiseBytes(held.fileId, 'text');
      } finally {
        world.stage.scanner.isUp = true;
      }
    },
  },
  previewed: {
    play: async (world) => {
      const upload = await world.upload(await picture(), { name: 'a.jpg', contentType: 'image/jpeg' });
      await world.call('getFile', { id: upload.fileId });
      await world.ask('getPreview', { id: upload.fileId, params: { preset: 'thumbnail' } });
      world.promise('preview', async () => {
        const { status, text } = await world.ask('getPreview', {
          id: upload.fileId,
          params: { preset: 'thumbnail' },
        });
        assert.equal(status, 302, text);
      });
      const broken = (await picture()).subarray(0, 600);
      await world.upload(broken, { name: 'b.jpg', contentType: 'image/jpeg' });
      await world.pass(minuteMs);
    },
  },
  stripped: {
    options: () => ({ policies: { default: { stripMetadata: true } } }),
    play: async (world) => {
      const bytes = await picture();
      const upload = await world.announce({ name: 'a.jpg', contentType: 'image/jpeg', sizeBytes: bytes.length });
      await world.send(upload, bytes);
      await world.call('completeUpload', { id: upload.id });
      await world.tick();
      world.promise('stripped', async () => {
        assert.equal((await world.download(upload.fileId)).includes('somebody'), false);
      });
      await world.pass(hourMs);
    },
  },
  zipped: {
    play: async (world) => {
      const zip = zipOf([{ name: 'a.txt', bytes: Buffer.from('a') }], { zip64: true });
      await world.upload(zip, { name: 'a.zip', contentType: 'application/zip' });
    },
  },
  rejected: {
    play: async (world) => {
      const program = Buffer.concat([Buffer.from('\x7fELF\x02\x01\x01'), Buffer.alloc(100)]);
      const upload = await world.announce({ sizeBytes: program.length });
      await world.send(upload, program);
      await world.call('completeUpload', { id: upload.id });
      await world.tick();
      world.promiseState(upload.id, 'rejected', 'purging', 'purged');
      await world.pass(8 * dayMs);
      await world.pass(hourMs);
    },
  },
  rejectedDeleted: {
    play: async (world) => {
      const program = Buffer.concat([Buffer.from('\x7fELF\x02\x01\x01'), Buffer.alloc(100)]);
      const upload = await world.announce({ sizeBytes: program.length });
      await world.send(upload, program);
      await world.call('completeUpload', { id: upload.id });
      await world.tick();
      await world.ask('deleteFile', { id: upload.fileId });
      world.promiseState(upload.id, 'rejected', 'purging', 'purged');
      await world.pass(8 * dayMs);
      await world.pass(hourMs);
    },
  },
} as const satisfies Readonly<Record<string, Scenario>>;
