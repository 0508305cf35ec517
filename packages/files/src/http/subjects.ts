// Which files and folders a request names, and what it wants to do with each: judged for callers who may not do it everywhere,
// before any handler runs. A route that is judged by folder and stands in neither table is closed to them. Lists name nothing;
// their handlers show what lies below the roots of `call.access`.

import { type Action, actions, type CreateUploadRequest, type RouteName, routes } from '@stowage/contract';
import { type Access, refusalOf } from '../accounts/access.ts';
import type { FileTable } from '../database/database.ts';
import { FilesError } from '../files-error.ts';
import { topFolderId } from '../tree/folder-record.ts';
import type { Call } from './handler.ts';

type Subject =
  | { readonly kind: 'file' | 'folder'; readonly id: string; readonly needs: Action }
  /** One's own, or one in a folder whose files one may change. */
  | { readonly kind: 'upload'; readonly id: string }
  /** A folder that is to be changed itself, which changes the one it lies in. */
  | { readonly kind: 'entry'; readonly id: string };

type Subjects<Name extends RouteName> = (call: Call<Name>) => readonly Subject[];

const file =
  (needs: Action) =>
  (call: Pick<Call<RouteName>, 'params'>): Subject => ({ kind: 'file', id: call.params.id ?? '', needs });
const upload = (call: Pick<Call<RouteName>, 'params'>): readonly Subject[] => [
  { kind: 'upload', id: call.params.id ?? '' },
];
const folders = (needs: Action, ...ids: readonly (string | undefined)[]): Subject[] =>
  ids.filter((id) => id !== undefined).map((id) => ({ kind: 'folder', id, needs }));
const onFile =
  (...needs: readonly Action[]) =>
  (call: Pick<Call<RouteName>, 'params'>): readonly Subject[] =>
    needs.map((action) => file(action)(call));
/** What puts another file's bytes in its place changes that file. */
const putting = (onConflict: string | undefined): Action =>
  onConflict === 'replace' ? 'files:write' : 'uploads:create';
const placeOf = ({ folderId = topFolderId, versionOf, onConflict }: CreateUploadRequest): Subject =>
  versionOf === undefined
    ? { kind: 'folder', id: folderId, needs: putting(onConflict) }
    : { kind: 'file', id: versionOf, needs: 'files:write' };
const idsOf = (list: string | undefined): readonly string[] => list?.split(',') ?? [];

const subjects: { readonly [Name in RouteName]?: Subjects<Name> } = {
  createUpload: ({ body }) => [placeOf(body)],
  createUploads: ({ body }) => body.uploads.map(placeOf),
  getUpload: upload,
  listParts: upload,
  signParts: upload,
  completeUpload: upload,
  abortUpload: upload,

  listFiles: ({ query: { folderId } }) => (folderId === topFolderId ? [] : folders('files:read', folderId)),
  getFile: onFile('files:read'),
  changeFile: (call) => [...onFile('files:write')(call), ...folders('files:write', call.body.folderId)],
  copyFile: (call) => {
    const needs = putting(call.body.onConflict);
    const { folderId } = call.body;
    return [
      ...onFile('files:read')(call),
      ...(folderId === undefined ? onFile(needs)(call) : folders(needs, folderId)),
    ];
  },
  deleteFile: onFile('files:write'),
  restoreFile: onFile('files:write'),
  getContent: onFile('files:read'),
  getPreview: onFile('files:read'),
  createLink: onFile('files:read', 'shares:write'),
  listVersions: onFile('files:read'),
  restoreVersion: onFile('files:write'),
  deleteVersion: onFile('files:purge'),
  purgeFile: onFile('files:purge'),

  listFolders: ({ query: { parentId } }) => (parentId === topFolderId ? [] : folders('folders:read', parentId)),
  createFolder: ({ body: { parentId = topFolderId } }) => folders('files:write', parentId),
  getFolder: ({ params }) => folders('files:read', params.id ?? ''),
  changeFolder: ({ params, body }) => [
    { kind: 'entry', id: params.id ?? '' },
    ...folders('files:write', body.parentId),
  ],
  deleteFolder: ({ params }) => [{ kind: 'entry', id: params.id ?? '' }],
  search: ({ query: { folderId } }) => (folderId === topFolderId ? [] : folders('files:read', folderId)),

  createShare: ({ body: { fileId, folderId } }) =>
    (['files:read', 'shares:write'] as const).flatMap((needs) =>
      fileId === undefined ? folders(needs, folderId) : [{ kind: 'file', id: fileId, needs } as const],
    ),
  getArchive: ({ query }) => [
    ...idsOf(query.files).map((id) => ({ kind: 'file', id, needs: 'files:read' }) as const),
    ...folders('files:read', ...idsOf(query.folders)),
  ],
  createKey: ({ body: { folderId } }) => folders('folders:read', folderId),
};

/** Routes that name nothing, and whose handlers show or change only what the caller may. */
const filtered: ReadonlySet<RouteName> = new Set([
  'listUploads',
  'listTrash',
  'emptyTrash',
  'listShares',
  'revokeShare',
] satisfies RouteName[]);

/** Whether somebody has said what a route that is judged by folder names. */
export function hasSubjects(name: RouteName): boolean {
  const { requires } = routes[name];
  if (requires === null || actions[requires].judged !== 'folder') return true;
  return filtered.has(name) || subjects[name] !== undefined;
}

interface JudgeOptions {
  readonly access: Access;
  readonly files: Pick<FileTable, 'current' | 'get'>;
}

/**
 * Throws `not-found` for what the caller may not even see, as if it were not there, and `forbidden` for what they may see and
 * not do this with.
 */
export async function judgeSubjects<Name extends RouteName>(
  name: Name,
  call: Call<Name>,
  { access, files }: JudgeOptions,
): Promise<void> {
  const { requires } = routes[name];
  const forbidden = (action: Action): FilesError => refusalOf(call.caller, action, 'here');
  if (!hasSubjects(name) && requires !== null && !access.everywhere(requires)) throw forbidden(requires);
  const { tenantId, userId } = call.caller.account;

  async function judge(subject: Subject): Promise<void> {
    switch (subject.kind) {
      case 'file': {
        if (access.everywhere(subject.needs)) return;
        const found = await files.current({ tenantId, id: subject.id });
        if (found === undefined || (await access.allows(subject.needs, found.folderId))) return;
        throw (await access.allows('files:read', found.folderId))
          ? forbidden(subject.needs)
          : missing('file', subject.id);
      }
      case 'upload': {
        if (access.everywhere('files:write')) return;
        const found = await files.get({ tenantId, id: subject.id });
        if (found === undefined || (await access.allows('files:write', found.folderId))) return;
        if (found.userId === userId && (await access.allows('uploads:create', found.folderId))) return;
        throw missing('upload', subject.id);
      }
      case 'folder':
        if (access.everywhere(subject.needs) || (await access.allows(subject.needs, subject.id))) return;
        throw (await sees(subject.id)) ? forbidden(subject.needs) : missing('folder', subject.id);
      case 'entry': {
        if (access.everywhere('files:write')) return;
        const [, parentId = topFolderId] = (await access.chains([subject.id])).get(subject.id) ?? [];
        const may = (await access.allows('files:write', subject.id)) && (await access.allows('files:write', parentId));
        if (may) return;
        throw (await sees(subject.id)) ? forbidden('files:write') : missing('folder', subject.id);
      }
    }
  }

  const sees = async (folderId: string): Promise<boolean> =>
    folderId === topFolderId || access.allows('folders:read', folderId);

  for (const subject of subjects[name]?.(call) ?? []) await judge(subject);
}

function missing(what: string, id: string): FilesError {
  return new FilesError('not-found', { detail: `There is no ${what} ${id}.` });
}
