// Where the page begins: takes a sign-in token out of the address, then shows the app.

import './theme/tokens.css';
import './theme/base.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { takeSignInToken } from './session/sign-in-token.ts';

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no element with the id "root".');

createRoot(root).render(
  <StrictMode>
    <App signInToken={takeSignInToken(window)} />
  </StrictMode>,
);
