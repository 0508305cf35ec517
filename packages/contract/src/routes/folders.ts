// Folders: a tree over files, of rows alone.

import {
  changeFolderRequestSchema,
  createFolderRequestSchema,
  folderListSchema,
  folderSchema,
  folderWithContentsSchema,
  listFoldersQuerySchema,
} from '../folder.ts';
import type { Route } from './route.ts';

export const folderRoutes = {
  listFolders: {
    method: 'GET',
    path: '/v1/folders',
    summary: 'The folders in a folder, by name.',
    access: 'authenticated',
    requires: 'folders:read',
    query: listFoldersQuerySchema,
    status: 200,
    response: folderListSchema,
    problems: ['not-found'],
  },
  createFolder: {
    method: 'POST',
    path: '/v1/folders',
    summary: 'Make a folder.',
    access: 'authenticated',
    requires: 'files:write',
    body: createFolderRequestSchema,
    status: 201,
    response: folderSchema,
    problems: ['not-found', 'name-taken'],
  },
  getFolder: {
    method: 'GET',
    path: '/v1/folders/{id}',
    summary: 'One folder, with how much lies in it and below it.',
    access: 'authenticated',
    requires: 'files:read',
    status: 200,
    response: folderWithContentsSchema,
    problems: [],
  },
  changeFolder: {
    method: 'PATCH',
    path: '/v1/folders/{id}',
    summary: 'Rename or move a folder. What lies in it goes along; no byte moves. Takes If-Match.',
    access: 'authenticated',
    requires: 'files:write',
    header: 'If-Match',
    body: changeFolderRequestSchema,
    status: 200,
    response: folderSchema,
    problems: ['wrong-state', 'name-taken', 'folder-cycle'],
  },
  deleteFolder: {
    method: 'DELETE',
    path: '/v1/folders/{id}',
    summary:
      'Put a folder and all that lies in it into the trash. Restoring a file of it brings its folders back. Takes If-Match.',
    access: 'authenticated',
    requires: 'files:write',
    header: 'If-Match',
    status: 204,
    problems: ['wrong-state'],
  },
} as const satisfies Record<string, Route>;
