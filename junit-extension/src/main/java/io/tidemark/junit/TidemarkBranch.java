package io.tidemark.junit;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * On a parameter of a test method: a {@link javax.sql.DataSource}, or a {@link java.sql.Connection} that the extension closes, to a branch
 * that only this invocation of the method sees. Several parameters of one method are on the same branch.
 */
@Target(ElementType.PARAMETER)
@Retention(RetentionPolicy.RUNTIME)
public @interface TidemarkBranch {}
