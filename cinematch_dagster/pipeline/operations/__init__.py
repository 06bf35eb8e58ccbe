"""Operations: pages, dashboard, freshness and notices."""
