/** The decimals of each currency, from the platform's table. Loaded once, before any page: an amount is never shown or read without them. */
import { useQuery } from '@tanstack/react-query';
import { reads } from './api.ts';

export function useCurrencies() {
  return useQuery({
    queryKey: ['currencies'],
    queryFn: async () => {
      const { data: list } = await reads.get('/v1/currencies');
      return new Map(list.data.map(({ code, exponent }) => [code, exponent]));
    },
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: Number.POSITIVE_INFINITY,
  });
}

/** Undefined for an unknown currency. */
export function useExponents(): (currency: string) => number | undefined {
  const { data } = useCurrencies();
  return (currency) => data?.get(currency);
}
