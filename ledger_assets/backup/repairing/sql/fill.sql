update only {table} t set {values} from pg_temp.{staged} v where {same}
