/** The decimals of each currency, from the platform's table. Loaded once. */
import { useQuery } from '@tanstack/react-query';
import { reads } from './api.ts';

export function useExponents(): (currency: string) => number | undefined {
  const { data } = useQuery({
    queryKey: ['currencies'],
    queryFn: async () => {
      const { data: list } = await reads.get('/v1/currencies');
      return new Map(list.data.map(({ code, exponent }) => [code, exponent]));
    },
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: Number.POSITIVE_INFINITY,
  });
  return (currency) => data?.get(currency);
}
