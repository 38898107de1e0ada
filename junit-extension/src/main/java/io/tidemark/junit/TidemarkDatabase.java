package io.tidemark.junit;

import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/** On a test class: its methods may ask for branches with {@link TidemarkBranch}. */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@Inherited
@ExtendWith(TidemarkExtension.class)
public @interface TidemarkDatabase {
    /** PostgreSQL's major version, 14 to 18. */
    int pg() default 17;

    /** What all branches begin with; run once per JVM. Needs a constructor without arguments. */
    Class<? extends Seed> seed() default Seed.Empty.class;
}
