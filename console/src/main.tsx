/** Starts the console: continues the browser's session, and shows the pages or the login. */
import './styles/tokens.css';
import './styles/base.css';
import './styles/shell.css';
import './styles/parts.css';
import './styles/pictures.css';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { lazy, StrictMode, Suspense } from 'react';
import { createRoot } from 'react-dom/client';
import { queryClient } from './api/api.ts';
import { router } from './router.tsx';
import { LoginPage } from './session/login-page.tsx';
import { startSession, useSession } from './session/session.ts';
import { ErrorNote, Loading } from './ui/parts.tsx';

/** Few people see it, and once. */
const SetupPage = lazy(() =>
  import('./session/setup-page.tsx').then(({ SetupPage }) => ({ default: SetupPage })),
);

const theme = localStorage.getItem('payflowx-theme');
if (theme) document.documentElement.dataset.theme = theme;

function Console() {
  const session = useSession();
  switch (session.phase) {
    case 'starting':
      return <Loading />;
    case 'unreachable':
      return (
        <main className="gate-form">
          <ErrorNote error={session.error} retry={() => void startSession()} />
        </main>
      );
    case 'signed-out':
      return <LoginPage reason={session.reason} />;
    case 'setup':
      return (
        <Suspense fallback={<Loading />}>
          <SetupPage me={session.me} />
        </Suspense>
      );
    case 'signed-in':
      return <RouterProvider router={router} />;
  }
}

void startSession();

const root = document.getElementById('root');
if (root) {
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={queryClient}>
        <Console />
      </QueryClientProvider>
    </StrictMode>,
  );
}
