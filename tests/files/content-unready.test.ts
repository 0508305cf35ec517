// What is not ready is given to nobody, by any way there is: a file whose bytes, preview, shares and an earlier version are all there is
// put into every other state, and every route of the contract and every public page is asked for it; then its earlier version alone is,
// by every way that leads to a file. Design §6, invariant 2. Nothing here waits to be removed, so a URL that was given out would work;
// each one that is found in an answer is tried.

import assert from 'node:assert/strict';
import type { SQLInputValue } from 'node:sqlite';
import { test } from 'node:test';
import { type FileState, fileStates, type RouteName, routeNames, routes } from '@stowage/contract';
import { writeBeside } from './beside-database.ts';
import { pngOf } from './hostile-bytes.ts';
import { requestOf, ServiceFixture, sendBytes, serviceOrigin } from './service-fixture.ts';

const unreadyStates = (Object.keys(fileStates) as FileState[]).filter((state) => !fileStates[state].downloadable);
/** What the shelf column says of each state; it follows from it. */
const shelves: Partial<Record<FileState, string>> = {
  pending: 'uploads',
  uploading: 'uploads',
  completing: 'uploads',
  trashed: 'trash',
  purging: 'none',
  purged: 'none',
  aborted: 'none',
  expired: 'none',
};
type Version = 'earlier' | 'current';
/** Stand in the bytes of a version, and in no answer but the bytes. */
const markers: Readonly<Record<Version, string>> = {
  earlier: 'only-in-the-bytes-2718281828',
  current: 'only-in-the-bytes-3141592653',
};

test('no route and no page gives out what is not ready', async (t) => {
  const service = await ServiceFixture.open(t, {
    limits: { requestBurst: 1_000_000, pageBurst: 1_000_000, signInsPerMinute: 1_000_000 },
  });
  const folder = await service.call('createFolder', { body: { name: 'Shared' } });
  const { id } = await service.upload(
    'picture.png',
    'image/png',
    Buffer.concat([pngOf(5), Buffer.from(markers.earlier)]),
  );
  const picture = Buffer.concat([pngOf(4), Buffer.from(markers.current)]);
  // The file's id is that of its first version, which is an earlier one from here on.
  const second = await service.announce({ name: 'picture.png', sizeBytes: picture.length, versionOf: id });
  assert.equal((await sendBytes(requestOf(second), picture)).status, 200);
  await service.call('completeUpload', { id: second.id });
  await service.tick();
  await service.call('changeFile', { id, body: { folderId: folder.id } });
  const ofFile = await service.call('createShare', { body: { fileId: id } });
  const ofFolder = await service.call('createShare', { body: { folderId: folder.id } });
  const [earlier, current] = await writeBeside(service.databasePath, (database) => {
    const find = database.prepare('SELECT * FROM files WHERE id = ?');
    return [id, second.id].map((version) => find.get(version) as Record<string, SQLInputValue>);
  });
  assert.deepEqual([earlier?.role, earlier?.state, current?.role], ['version', 'ready', 'current']);
  const ids: Readonly<Record<Version, string>> = { earlier: id, current: second.id };
  /** Has all be as it was, but for what is changed of a version, and whether the folder is in the trash. */
  const put = (
    changes: Partial<Record<Version, Record<string, SQLInputValue>>>,
    folderTrashedAtMs: number | null = null,
  ): Promise<void> =>
    writeBeside(service.databasePath, (database) => {
      database.prepare('UPDATE folders SET trashed_at_ms = ? WHERE id = ?').run(folderTrashedAtMs, folder.id);
      // The earlier one first: a file has one current version.
      for (const row of [
        { ...earlier, ...changes.earlier },
        { ...current, ...changes.current },
      ]) {
        const names = Object.keys(row);
        database
          .prepare(`UPDATE files SET ${names.map((name) => `${name} = ?`).join(', ')} WHERE id = ?`)
          .run(...names.map((name) => row[name] ?? null), row.id ?? '');
      }
    });

  const bodies: Partial<Record<RouteName, unknown>> = {
    createUpload: { name: 'more.txt', sizeBytes: 4, versionOf: id },
    createUploads: { uploads: [{ name: 'more.txt', sizeBytes: 4, versionOf: id }] },
    createShare: { fileId: id },
    signParts: { partNumbers: [1] },
    copyFile: { name: 'copy.png' },
  };
  const queries: Partial<Record<RouteName, string>> = {
    getArchive: `?files=${id}`,
    listFiles: `?folderId=${folder.id}`,
    search: '?q=picture',
  };
  const askRoute = (name: RouteName): Promise<Response> => {
    const { method, path, body } = routes[name];
    const filled = path.replace('{preset}', 'thumbnail').replace(/\{\w+\}/g, id);
    return service.send(
      new Request(new URL(`${filled}${queries[name] ?? ''}`, serviceOrigin), {
        method,
        headers: { cookie: service.cookie, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(bodies[name] ?? {}) }),
      }),
    );
  };
  const get = (path: string): Promise<Response> =>
    service.send(new Request(new URL(path, serviceOrigin), { headers: { cookie: service.cookie } }));
  const pages = [ofFile.url, ofFolder.url].flatMap((url) => [
    url,
    `${url}/files/${id}`,
    `${url}/files/${id}/preview`,
    `${url}/archive`,
  ]);

  /** The versions of which the answer holds the bytes, or a URL that gives them or a preview. */
  const given = async (response: Response): Promise<ReadonlySet<Version>> => {
    // An archive that is made while it is sent may break off: what came counts.
    const text = await response.text().catch(() => '');
    const found = new Set<Version>();
    for (const version of ['earlier', 'current'] as const) if (text.includes(markers[version])) found.add(version);
    const urls = `${response.headers.get('location') ?? ''} ${text}`.match(
      /https?:\/\/[^\s"'<>\\]+X-Amz-Signature[^\s"'<>\\]*/g,
    );
    for (const url of urls ?? []) {
      const answer = await fetch(url.replaceAll('&amp;', '&'));
      await answer.body?.cancel();
      // Keys carry the id of their version.
      if (answer.ok) found.add(url.includes(ids.earlier) ? 'earlier' : 'current');
    }
    return found;
  };

  interface Way {
    readonly title: string;
    readonly ask: () => Promise<Response>;
    /** Whether it leads to a file, by its id. */
    readonly ofFile: boolean;
  }
  const asked: readonly Way[] = [
    ...routeNames.map((name) => ({
      title: name,
      ask: () => askRoute(name),
      ofFile: /^\/v1\/(files|uploads)\/\{id\}/.test(routes[name].path),
    })),
    { ofFile: true, title: 'getContent of a version', ask: () => get(`/v1/files/${id}/content?version=${id}`) },
    { ofFile: true, title: 'getArchive of its folder', ask: () => get(`/v1/archive?folders=${folder.id}`) },
    ...pages.map((path) => ({
      title: path.replace(/\/s\/[^/]+/, '/s/{token}'),
      ask: () => get(path),
      ofFile: true,
    })),
  ];
  /** Some routes end the session. */
  const signInAgain = async (): Promise<void> => {
    if ((await askRoute('getSession')).status !== 200) await service.signIn();
  };

  // The test can tell: of a file that is ready, the ways that are there give it.
  const giving = new Set<string>();
  for (const way of asked) {
    await put({});
    for (const version of await given(await way.ask())) giving.add(`${way.title}: ${version}`);
    await signInAgain();
  }
  for (const name of [
    'getContent: current',
    'getContent of a version: earlier',
    'createLink: current',
    'getArchive: current',
    'getArchive of its folder: current',
    'getPreview: current',
    `/s/{token}/files/${id}: current`,
    `/s/{token}/files/${id}/preview: current`,
    '/s/{token}/archive: current',
  ]) {
    assert.ok(giving.has(name), `${name} is given of what is ready; given was ${[...giving].join()}`);
  }

  for (const state of unreadyStates) {
    await t.test(state, async () => {
      for (const way of asked) {
        await put({ current: { state, shelf: shelves[state] ?? 'files', previews: '["thumbnail"]' } });
        assert.deepEqual([...(await given(await way.ask()))], [], `${way.title} of a file that is ${state}`);
        await signInAgain();
      }
      const shelf = shelves[state] === 'uploads' || shelves[state] === 'none' ? shelves[state] : 'versions';
      for (const way of asked.filter(({ ofFile }) => ofFile)) {
        await put({ earlier: { state, shelf, previews: '["thumbnail"]' } });
        const found = await given(await way.ask());
        assert.ok(!found.has('earlier'), `${way.title} of a file whose earlier version is ${state}`);
      }
    });
  }
  await t.test('in a folder of the trash', async () => {
    for (const way of asked) {
      await put({}, service.nowMs);
      // The worker has not come to it: the file is as it was when its folder went.
      assert.deepEqual([...(await given(await way.ask()))], [], `${way.title} of a file whose folder is in the trash`);
      await signInAgain();
    }
  });
});
